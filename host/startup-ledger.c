/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often the ledger signs and packs, and where it goes on while it cannot be written, if
 * anywhere. */
#include "startup-ledger.h"

#define REEVE_STARTUP_LEDGER_PACK_SECONDS 10

gboolean
reeve_startup_ledger_configure (ReeveLedger *ledger, ReeveConfig *config, GError **error)
{
  const char *folder = reeve_config_get_string (config, "audit.second.folder");

  reeve_ledger_set_checkpoint_seconds (
      ledger, (guint) reeve_config_get_int (config, "audit.checkpoint_seconds"));
  reeve_ledger_set_pack_seconds (ledger, REEVE_STARTUP_LEDGER_PACK_SECONDS);
  if (g_strcmp0 (reeve_config_get_string (config, "audit.when_unavailable"), "refuse") == 0)
    return TRUE;
  if (folder == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                           "second_sink needs audit.second.folder");
      return FALSE;
    }
  reeve_ledger_set_second (ledger, folder);
  return TRUE;
}
