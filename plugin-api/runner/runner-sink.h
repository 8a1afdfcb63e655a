/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.reeve.Plugin1.Sink of an instance. */
#pragma once

#include "runner-serve.h"

G_BEGIN_DECLS

GVariant *runner_sink_perform (const RunnerServeCall *call, GError **error);

G_END_DECLS
