/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLlmCodec in a runner. */
#pragma once

#include "runner-serve.h"

G_BEGIN_DECLS

/* A place for the decoders of a new instance. */
void runner_codec_prepare (ReevePlugin *instance);
GVariant *runner_codec_perform (const RunnerServeCall *call, GError **error);

G_END_DECLS
