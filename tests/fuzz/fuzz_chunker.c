/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes into the chunker: the first three give the sizes and where pages start. Chunks must lie
 * in the text, in order, within their size. */
/* covers: host/runtime/chunker.c */
#include "runtime/chunker.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  ReeveChunkerOptions options = { 0 };
  g_autoptr (GPtrArray) chunks = NULL;
  gsize pages[2] = { 0 };
  gsize end = 0;

  if (size < 3)
    return 0;
  options.max_tokens = data[0];
  options.overlap_tokens = data[1];
  pages[1] = data[2];
  chunks = reeve_chunker_split ((const gchar *) data + 3, size - 3, pages, 2, &options, NULL);
  for (guint i = 0; chunks != NULL && i < chunks->len; i++)
    {
      const ReeveChunk *chunk = g_ptr_array_index (chunks, i);

      if (chunk->length == 0 || chunk->start + chunk->length > size - 3
          || chunk->start + chunk->length <= end || chunk->tokens > MAX (options.max_tokens, 16u)
          || chunk->page < 1 || chunk->page > 2)
        abort ();
      end = chunk->start + chunk->length;
    }
  return 0;
}
