/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sinks and the witnesses of the ledger, as they are configured. */
#pragma once

#include "services.h"

G_BEGIN_DECLS

/* %REEVE_ERROR_CONFIGURATION says what in the configuration is at fault. */
gboolean reeve_audit_sinks_open (ReeveServices *services, const char *folder, GError **error);
gboolean reeve_audit_sinks_open_witnesses (ReeveServices *services, GError **error);
/* (transfer full) witnesses */
void reeve_audit_sinks_close_witnesses (ReeveWitnesses *witnesses);
/* (transfer full) sinks */
void reeve_audit_sinks_close (ReeveSinks *sinks);

G_END_DECLS
