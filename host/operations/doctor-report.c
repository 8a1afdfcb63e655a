/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One item for each check, also for those that are well: a list that is short would not say what
 * was looked at. */
#include "doctor-report.h"

static const char *const reeve_doctor_report_states[REEVE_DOCTOR_N_STATES]
    = { "ok", "warn", "fail", "not_applicable" };

/**
 * reeve_doctor_report_new:
 *
 * Returns: (transfer full): a report of nothing
 */
ReeveDoctorReport *
reeve_doctor_report_new (void)
{
  ReeveDoctorReport *self = g_new0 (ReeveDoctorReport, 1);

  self->items = json_array_new ();
  return self;
}

/**
 * reeve_doctor_report_free:
 * @self: (transfer full): a report
 */
void
reeve_doctor_report_free (ReeveDoctorReport *self)
{
  json_array_unref (self->items);
  g_free (self);
}

/**
 * reeve_doctor_report_add:
 * @self: a report
 * @check: which check
 * @state: how it is
 * @format: what was found, as printf()
 * @...: its values
 *
 * What to do stands in the report only where something is to be done.
 */
void
reeve_doctor_report_add (ReeveDoctorReport *self, const ReeveDoctorCheck *check,
                         ReeveDoctorState state, const char *format, ...)
{
  gboolean sick = state == REEVE_DOCTOR_WARN || state == REEVE_DOCTOR_FAIL;
  JsonObject *item = json_object_new ();
  va_list values;

  va_start (values, format);
  g_autofree char *detail = g_strdup_vprintf (format, values);
  va_end (values);
  json_object_set_string_member (item, "id", check->id);
  json_object_set_string_member (item, "state", reeve_doctor_report_states[state]);
  json_object_set_string_member (item, "detail", detail);
  if (sick)
    json_object_set_string_member (item, "remedy", check->remedy);
  else
    json_object_set_null_member (item, "remedy");
  json_object_set_string_member (item, "row", check->row);
  json_array_add_object_element (self->items, item);
  self->counts[state]++;
}

/**
 * reeve_doctor_report_show:
 * @self: a report
 * @profile: of the host
 *
 * Returns: (transfer full): `{profile, failed, warned, items}`
 */
JsonObject *
reeve_doctor_report_show (ReeveDoctorReport *self, const char *profile)
{
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "profile", profile);
  json_object_set_int_member (shown, "failed", self->counts[REEVE_DOCTOR_FAIL]);
  json_object_set_int_member (shown, "warned", self->counts[REEVE_DOCTOR_WARN]);
  json_object_set_array_member (shown, "items", json_array_ref (self->items));
  return shown;
}
