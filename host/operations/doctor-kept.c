/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of users that are damaged, and were never erased. */
#include "doctor-kept.h"

/* faults that are told one by one */
#define REEVE_DOCTOR_KEPT_TOLD 5

/**
 * reeve_doctor_kept_check:
 * @services: of the host
 * @report: gets what was found
 *
 * Looks at both halves of the key of each user. Blocks.
 */
void
reeve_doctor_kept_check (ReeveServices *services, ReeveDoctorReport *report)
{
  static const ReeveDoctorCheck check
      = { "audit.personal_keys", "CMP-09",
          "put back from a backup what is named, or erase the user (docs/audit.md)" };
  guint keys = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) faults = reeve_kept_values_check (services->kept_values, &keys, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; faults != NULL && i < MIN (faults->len, REEVE_DOCTOR_KEPT_TOLD); i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "; " : "", (const char *) faults->pdata[i]);
  if (faults == NULL)
    reeve_doctor_report_add (report, &check, REEVE_DOCTOR_FAIL, "%s", error->message);
  else if (faults->len > REEVE_DOCTOR_KEPT_TOLD)
    reeve_doctor_report_add (report, &check, REEVE_DOCTOR_FAIL, "%s; and %u more", text->str,
                             faults->len - REEVE_DOCTOR_KEPT_TOLD);
  else if (faults->len > 0)
    reeve_doctor_report_add (report, &check, REEVE_DOCTOR_FAIL, "%s", text->str);
  else if (keys == 0)
    reeve_doctor_report_add (report, &check, REEVE_DOCTOR_NOT_APPLICABLE,
                             "nothing is kept under keys of users");
  else
    reeve_doctor_report_add (report, &check, REEVE_DOCTOR_OK, "%u keys of users are whole", keys);
}
