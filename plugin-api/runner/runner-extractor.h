/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.reeve.Plugin1.Extractor of an instance. */
#pragma once

#include "runner-serve.h"

G_BEGIN_DECLS

GVariant *runner_extractor_perform (const RunnerServeCall *call, GError **error);

G_END_DECLS
