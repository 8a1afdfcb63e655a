/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capabilities `secret.use` and `secret.read`: what is in a plugin's slots, and who may have it. */
#pragma once

#include "governance/plugin-secrets.h"
#include "loader/capabilities.h"

G_BEGIN_DECLS

/* Registers both. @secrets outlives @capabilities. */
void reeve_secret_slots_provide (ReevePluginSecrets *secrets, ReeveCapabilities *capabilities);
/* (transfer full) (nullable) what is in the slot for @caller, {scheme, value …, origins?}: of the
 * settings (*of_settings), where whoever wrote it gave it, or of the store, which needs a grant.
 * (nullable) @secrets: there is no store. %REEVE_ERROR_CAPABILITY: it is empty */
JsonObject *reeve_secret_slots_find (const ReeveCapabilityCaller *caller,
                                     ReevePluginSecrets *secrets, const char *slot,
                                     gboolean *of_settings, GError **error);
/* Does a grant behind @lease (nullable: nobody keeps grants) name the slot? The lease rests on
 * these. %REEVE_ERROR_CAPABILITY */
gboolean reeve_secret_slots_check (const ReeveCapabilityCaller *caller, ReeveCapabilityLease *lease,
                                   const char *capability, const char *slot, GError **error);

G_END_DECLS
