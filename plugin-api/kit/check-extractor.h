/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind extractor. */
#pragma once

#include "check-run.h"

G_BEGIN_DECLS

void check_extractor_run (CheckRun *run, ReevePlugin *plugin);

G_END_DECLS
