/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `reevectl doctor`: is there a host, is it ready, and what of it is not in order. */
#pragma once

#include "cli-options.h"

G_BEGIN_DECLS

int reeve_cli_doctor_run (ReeveCliOptions *options);

G_END_DECLS
