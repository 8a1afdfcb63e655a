/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind sink. */
#pragma once

#include "check-run.h"

G_BEGIN_DECLS

void check_sink_run (CheckRun *run, ReevePlugin *plugin);

G_END_DECLS
