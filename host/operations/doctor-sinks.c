/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sinks of the ledger that are behind, or broken. */
#include "doctor-sinks.h"

/* a sink that lacks a record so long is behind; one whose tries fail so often in a row is broken */
#define REEVE_DOCTOR_SINKS_SECONDS  300
#define REEVE_DOCTOR_SINKS_FAILURES 3

/* what of a sink is not as it should be; %REEVE_DOCTOR_OK: nothing */
static ReeveDoctorState
reeve_doctor_sinks_judge (JsonObject *sink, const char *scope, GString *bad)
{
  gint64 failures = reeve_json_get_int (sink, "failures", 0);
  gint64 waiting = reeve_json_get_int (sink, "lag_seconds", 0);
  gint64 skipped = reeve_json_get_int (sink, "skipped", 0);
  const char *id = reeve_json_get_string (sink, "id", "");

  if (failures == 0 && waiting < REEVE_DOCTOR_SINKS_SECONDS && skipped == 0)
    return REEVE_DOCTOR_OK;
  g_string_append_printf (bad, "%s%s, log of %s: ", bad->len > 0 ? "; " : "", id, scope);
  if (failures > 0 || waiting >= REEVE_DOCTOR_SINKS_SECONDS)
    g_string_append_printf (bad,
                            "lacks %" G_GINT64_FORMAT " records behind %" G_GINT64_FORMAT
                            ", the oldest for %" G_GINT64_FORMAT " s%s%s",
                            reeve_json_get_int (sink, "lag", 0),
                            reeve_json_get_int (sink, "delivered", 0), waiting,
                            failures > 0 ? ": " : "",
                            failures > 0 ? reeve_json_get_string (sink, "last_error", "") : "");
  else
    g_string_append_printf (bad, "has refused %" G_GINT64_FORMAT " records", skipped);
  return failures >= REEVE_DOCTOR_SINKS_FAILURES ? REEVE_DOCTOR_FAIL : REEVE_DOCTOR_WARN;
}

/**
 * reeve_doctor_sinks_check:
 * @services: of the host
 * @report: gets what was found
 * @check: the check
 *
 * Asks each sink of each log whether it has what is recorded. Blocks.
 */
void
reeve_doctor_sinks_check (ReeveServices *services, ReeveDoctorReport *report,
                          const ReeveDoctorCheck *check)
{
  g_auto (GStrv) scopes = reeve_ledger_list_scopes (services->ledger, NULL);
  gboolean any = reeve_sinks_get_health (services->sinks) != NULL;
  ReeveDoctorState worst = REEVE_DOCTOR_OK;
  g_autoptr (GString) bad = g_string_new (NULL);

  for (guint i = 0; any && scopes != NULL && scopes[i] != NULL; i++)
    {
      g_autoptr (JsonArray) shown = reeve_sinks_show (services->sinks, scopes[i]);

      for (guint k = 0; k < json_array_get_length (shown); k++)
        worst = MAX (worst, reeve_doctor_sinks_judge (json_array_get_object_element (shown, k),
                                                      scopes[i], bad));
    }
  if (!any)
    reeve_doctor_report_add (report, check, REEVE_DOCTOR_NOT_APPLICABLE,
                             "the ledger is sent nowhere");
  else
    reeve_doctor_report_add (report, check, worst, "%s",
                             worst == REEVE_DOCTOR_OK ? "every sink has what is recorded"
                                                      : bad->str);
}
