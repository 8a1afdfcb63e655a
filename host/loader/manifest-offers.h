/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Group `Offers` of a manifest: what a plugin offers where it has no settings, known without any
 * code of it. */
#pragma once

#include <reeve-plugin-1.h>

#include "manifest.h"

G_BEGIN_DECLS

/* (nullable): the manifest does not say. Media types of its extractor */
const char *const *reeve_manifest_offers_get_media_types (ReeveManifest *self);
/* (nullable): the manifest does not say. (element-type ReeveToolInfo) */
GPtrArray *reeve_manifest_offers_get_tools (ReeveManifest *self);
/* Is its model an engine, which computes in the plugin? */
gboolean reeve_manifest_offers_has_engine (ReeveManifest *self);
/* The same tools in the same order? (element-type ReeveToolInfo) */
gboolean reeve_manifest_offers_are_same (GPtrArray *one, GPtrArray *other);
/* Are these the tools that the manifest names? %REEVE_ERROR_PLUGIN */
gboolean reeve_manifest_offers_check_tools (ReeveManifest *self, GPtrArray *tools, GError **error);
gboolean reeve_manifest_offers_check_media_types (ReeveManifest *self, const char *const *types,
                                                  GError **error);

G_END_DECLS
