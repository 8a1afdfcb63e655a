/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveDoctorReport: what checks have found. */
#pragma once

#include <reeve-json.h>

G_BEGIN_DECLS

typedef enum
{
  REEVE_DOCTOR_OK,
  REEVE_DOCTOR_WARN,           /* could be better */
  REEVE_DOCTOR_FAIL,           /* is broken */
  REEVE_DOCTOR_NOT_APPLICABLE, /* there is nothing to check */
  REEVE_DOCTOR_N_STATES
} ReeveDoctorState;

/* One check: what it is called, where it is asked for, what to do when it is not well. */
typedef struct
{
  const char *id;
  const char *row;
  const char *remedy;
} ReeveDoctorCheck;

typedef struct
{
  JsonArray *items;
  gint64 counts[REEVE_DOCTOR_N_STATES];
} ReeveDoctorReport;

ReeveDoctorReport *reeve_doctor_report_new (void);
void reeve_doctor_report_free (ReeveDoctorReport *self);
void reeve_doctor_report_add (ReeveDoctorReport *self, const ReeveDoctorCheck *check,
                              ReeveDoctorState state, const char *format, ...) G_GNUC_PRINTF (4, 5);
/* (transfer full) {profile, failed, warned, items} */
JsonObject *reeve_doctor_report_show (ReeveDoctorReport *self, const char *profile);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveDoctorReport, reeve_doctor_report_free)

G_END_DECLS
