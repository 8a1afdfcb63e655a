/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenaiDecoder: reads one response of an OpenAI-compatible server, whole or streamed. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define OPENAI_TYPE_DECODER (openai_decoder_get_type ())
G_DECLARE_FINAL_TYPE (OpenaiDecoder, openai_decoder, OPENAI, DECODER, GObject)

OpenaiDecoder *openai_decoder_new (ReeveLlmRequest *request);

G_END_DECLS
