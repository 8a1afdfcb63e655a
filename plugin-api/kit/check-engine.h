/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind llm, for engines. */
#pragma once

#include "check-run.h"

G_BEGIN_DECLS

void check_engine_run (CheckRun *run, ReevePlugin *plugin);

G_END_DECLS
