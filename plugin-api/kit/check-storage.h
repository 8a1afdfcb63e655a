/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind storage. */
#pragma once

#include "check-run.h"

G_BEGIN_DECLS

void check_storage_run (CheckRun *run, ReevePlugin *plugin);

G_END_DECLS
