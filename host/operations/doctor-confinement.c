/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both profiles are put on, in a process that ends at once. */
#include "doctor-confinement.h"

#include "loader/confinement.h"

/**
 * reeve_doctor_confinement_check:
 * @report: gets what was found
 * @check: the check
 * @cgroup: where plugins get control groups
 *
 * Blocks, some milliseconds.
 */
void
reeve_doctor_confinement_check (ReeveDoctorReport *report, const ReeveDoctorCheck *check,
                                const char *cgroup)
{
  g_autoptr (ReeveConfinement) confinement = reeve_confinement_new (NULL, cgroup);
  g_autoptr (GError) error = NULL;
  g_autofree char *strict = NULL;
  g_autofree char *hardened = NULL;

  if (!reeve_confinement_probe (confinement, RUNNER_LAYERS_PROFILE_STRICT, &strict, &error))
    reeve_doctor_report_add (report, check, REEVE_DOCTOR_WARN,
                             "not even profile strict can be put on: %s",
                             error != NULL ? error->message : strict);
  else if (!reeve_confinement_probe (confinement, RUNNER_LAYERS_PROFILE_HARDENED, &hardened,
                                     &error))
    reeve_doctor_report_add (report, check, REEVE_DOCTOR_WARN,
                             "profile strict can be put on, hardened cannot: %s",
                             error != NULL ? error->message : hardened);
  else
    reeve_doctor_report_add (report, check, REEVE_DOCTOR_OK,
                             "profiles strict and hardened can be put on%s%s",
                             *hardened != '\0' ? ", but for " : "", hardened);
}
