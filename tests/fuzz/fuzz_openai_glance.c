/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes what llm-openai reads without a tree: whatever it takes must say what the tree says. */
/* covers: plugins/llm-openai/openai-glance.c */
#include <reeve-plugin-1.h>
#include <stddef.h>
#include <stdint.h>

#include "../helpers/openai-compare.h"
#include "json-mutator.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned int seed);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  /* an exact copy: what is read behind its end is seen */
  g_autofree char *text = g_memdup2 (data, size);

  openai_compare (text, size);
  return 0;
}

/* Half of the changes are of the tree, half of the bytes. */
size_t
LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
  static const char *const words[] = { "choices",
                                       "usage",
                                       "error",
                                       "index",
                                       "delta",
                                       "message",
                                       "finish_reason",
                                       "content",
                                       "refusal",
                                       "reasoning",
                                       "reasoning_content",
                                       "tool_calls",
                                       "prompt_tokens",
                                       "completion_tokens",
                                       "prompt_tokens_details",
                                       "completion_tokens_details",
                                       "cached_tokens",
                                       "reasoning_tokens",
                                       "\n\"\\",
                                       "\xf0\x9f\x98\x80",
                                       NULL };
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  size_t changed = g_rand_boolean (rand) ? json_mutator_run (data, size, max_size, rand, words) : 0;

  return changed > 0 ? changed : LLVMFuzzerMutate (data, size, max_size);
}
