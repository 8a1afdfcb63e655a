/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What leaves the host for a collector is told here with where it goes, also when all is well. */
#include "doctor-telemetry.h"

/**
 * reeve_doctor_telemetry_check:
 * @services: of the host
 * @report: gets what was found
 * @check: the check
 *
 * A collector that takes nothing is a warning: it costs spans, and nothing else.
 */
void
reeve_doctor_telemetry_check (ReeveServices *services, ReeveDoctorReport *report,
                              const ReeveDoctorCheck *check)
{
  g_auto (ReeveOtlpExporterStatus) status = { 0 };
  const char *what = NULL;

  if (services->exporter == NULL)
    {
      reeve_doctor_report_add (report, check, REEVE_DOCTOR_NOT_APPLICABLE,
                               "neither traces nor metrics leave the host");
      return;
    }
  reeve_otlp_exporter_get_status (services->exporter, &status);
  what = status.traces && status.metrics ? "traces and metrics"
         : status.traces                 ? "traces"
         : status.metrics                ? "metrics"
                                         : "nothing";
  if (status.failing != 0)
    reeve_doctor_report_add (
        report, check, REEVE_DOCTOR_WARN,
        "%s are not taken by %s for %" G_GINT64_FORMAT " s, %" G_GUINT64_FORMAT " spans were lost",
        what, status.origin, (g_get_monotonic_time () - status.failing) / G_USEC_PER_SEC,
        status.lost);
  else
    reeve_doctor_report_add (report, check, REEVE_DOCTOR_OK,
                             "%s go to %s, %" G_GUINT64_FORMAT " spans were lost", what,
                             status.origin, status.lost);
}
