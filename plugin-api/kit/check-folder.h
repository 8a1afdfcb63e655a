/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of a plugin's folder: its README, and what its module exports. */
#pragma once

#include "check-run.h"

G_BEGIN_DECLS

void check_folder_run (CheckRun *run);

G_END_DECLS
