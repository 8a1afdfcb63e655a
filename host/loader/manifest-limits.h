/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much of `memory`, `threads`, `cpu` and `scratch` a plugin's author asks for: group Limits of
 * its manifest. */
#pragma once

#include "manifest.h"

G_BEGIN_DECLS

/* Below that no plugin can run; 0: the capability has no amount of that sort. MiB, threads, percent
 * of a processor */
guint32 reeve_manifest_limits_get_least (const char *capability);
/* @capability: `memory`, `scratch`, in MiB; `threads`; `cpu`, in percent of a processor. 0: it does
 * not say */
guint32 reeve_manifest_limits_get (ReeveManifest *self, const char *capability);

G_END_DECLS
