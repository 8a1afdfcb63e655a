/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often the ledger signs and packs, whether processors stay awake for it, and where it goes on
 * while it cannot be written, if anywhere. */
#include "startup-ledger.h"

#define REEVE_STARTUP_LEDGER_PACK_SECONDS 10
#define REEVE_STARTUP_LEDGER_GAP          500  /* µs, as the next */
#define REEVE_STARTUP_LEDGER_LONGEST      1000 /* no disk that takes longer is worth it */

/* Who runs the host decides by letting it use the device: where he does not, all is slower, and
 * nothing is wrong. */
static void
reeve_startup_ledger_stay_awake (ReeveLedger *ledger)
{
  g_autoptr (GError) error = NULL;
  ReeveCpuLatency *latency = reeve_cpu_latency_open (
      REEVE_CPU_LATENCY_DEVICE, REEVE_STARTUP_LEDGER_GAP, REEVE_STARTUP_LEDGER_LONGEST, &error);

  if (latency == NULL)
    g_info ("audit.stay_awake has no effect: %s", error->message);
  reeve_ledger_set_latency (ledger, latency);
}

gboolean
reeve_startup_ledger_configure (ReeveLedger *ledger, ReeveConfig *config, GError **error)
{
  const char *folder = reeve_config_get_string (config, "audit.second.folder");

  if (reeve_config_get_boolean (config, "audit.stay_awake"))
    reeve_startup_ledger_stay_awake (ledger);
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
