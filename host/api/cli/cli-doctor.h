/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reevectl doctor: is everything in order, and what to do when it is not. */
#pragma once

#include "cli-host.h"

G_BEGIN_DECLS

int reeve_cli_doctor_print_answer (ReeveCliAnswer *answer, gboolean json);

G_END_DECLS
