/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots of a manifest's settings: which of them are secrets that the host uses for the plugin, and
 * how. Keyword `x-reeve-slot` of the settings' schema. */
#pragma once

#include "manifest.h"

G_BEGIN_DECLS

/* (transfer full) settings as the plugin gets them: in the place of a secret stands the name of its
 * slot, and an empty object in that of a map of headers */
JsonObject *reeve_manifest_slots_hide (ReeveManifest *self, JsonObject *settings);
/* (transfer full) (nullable): the settings hold nothing in that slot. {scheme, value or headers,
 * header?, prefix?, username?}; reads @settings on any thread */
JsonObject *reeve_manifest_slots_find (ReeveManifest *self, JsonObject *settings, const char *slot);

G_END_DECLS
