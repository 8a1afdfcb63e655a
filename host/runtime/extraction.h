/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveExtraction: which extractor reads which document. */
#pragma once

#include "loader/registry.h"

G_BEGIN_DECLS

#define REEVE_TYPE_EXTRACTION (reeve_extraction_get_type ())
G_DECLARE_FINAL_TYPE (ReeveExtraction, reeve_extraction, REEVE, EXTRACTION, GObject)

ReeveExtraction *reeve_extraction_new (ReeveRegistry *registry);
/* Takes up an extractor, as instance of the plugin's id. Any thread; blocks. */
gboolean reeve_extraction_add (ReeveExtraction *self, const char *plugin_id, JsonObject *settings,
                               GError **error);
/* (transfer full) what stands in a document; *type (transfer full): the media type it was read as.
 * %REEVE_ERROR_UNSUPPORTED_MEDIA. Worker threads. */
ReeveExtract *reeve_extraction_read (ReeveExtraction *self, GBytes *bytes, const char *media_type,
                                     const char *file_name, char **type, GError **error);

G_END_DECLS
