/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveModule: a plugin's shared object in this process. Resident: never unloaded, since types
 * cannot be unregistered. */
#pragma once

#include <reeve-plugin-1.h>

#include "manifest.h"
#include "pins.h"

G_BEGIN_DECLS

typedef struct _ReeveModule ReeveModule;

/* Hashes the file, compares it with the pin, loads exactly those bytes, checks the descriptor
 * before any function of it runs. Constructors of the object itself run at loading: hence the pin.
 */
ReeveModule *reeve_module_load (ReeveManifest *manifest, const ReevePin *pin, GError **error);
/* The file that the pin names, open for reading, the caller's; -1 with %REEVE_ERROR_PLUGIN. Nothing
 * of it is loaded. */
int reeve_module_open_pinned (ReeveManifest *manifest, const ReevePin *pin, GError **error);
void reeve_module_free (ReeveModule *self);
/* The first type that implements @iface, or G_TYPE_INVALID. */
GType reeve_module_find_type (ReeveModule *self, GType iface);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveModule, reeve_module_free)

G_END_DECLS
