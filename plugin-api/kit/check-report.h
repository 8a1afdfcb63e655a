/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CheckReport: says over a pipe which check begins and how it ended, and ends the process when one
 * hangs. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _CheckReport CheckReport;

CheckReport *check_report_new (int fd, guint seconds);
void check_report_free (CheckReport *self);

void check_report_begin (CheckReport *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* returns condition; the first that is FALSE decides the check and gives its reason */
gboolean check_report_expect (CheckReport *self, gboolean condition, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
/* TRUE when error is NULL or of the domain of this interface */
gboolean check_report_expect_error (CheckReport *self, const GError *error, const char *what);
void check_report_end (CheckReport *self);
void check_report_note (CheckReport *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* all checks were made */
void check_report_done (CheckReport *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CheckReport, check_report_free)

G_END_DECLS
