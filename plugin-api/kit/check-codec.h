/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind llm, for codecs. */
#pragma once

#include "check-run.h"

G_BEGIN_DECLS

void check_codec_run (CheckRun *run, ReevePlugin *plugin);

G_END_DECLS
