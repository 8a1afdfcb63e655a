/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tree of an answer costs ten times what looking for its members does, and most answers are
 * alike: one choice with a text, a reason, counts. Whatever is not just so is left to who builds
 * the tree: openai-chunk.c says what it means. */
#include "openai-glance.h"

#include <string.h>

#define OPENAI_GLANCE_DIGITS 15 /* of a count */

static gboolean
openai_glance_is (const ReeveJsonSlice *slice, char first)
{
  return slice->start != NULL && *slice->start == first;
}

/* Absent, or null: JSON was found right, so that no other value begins so. */
static gboolean
openai_glance_is_nothing (const ReeveJsonSlice *slice)
{
  return slice->start == NULL || *slice->start == 'n';
}

static gboolean
openai_glance_find (const ReeveJsonSlice *slice, const char *const *names, ReeveJsonSlice *slices)
{
  return reeve_json_find_members (slice->start, slice->length, names, slices, NULL);
}

/* Absent: -1. */
static gboolean
openai_glance_read_count (const ReeveJsonSlice *slice, gint64 *count)
{
  *count = slice->start == NULL ? -1 : 0;
  if (slice->length > OPENAI_GLANCE_DIGITS)
    return FALSE;
  for (gsize i = 0; i < slice->length; i++)
    {
      if (!g_ascii_isdigit (slice->start[i]))
        return FALSE;
      *count = *count * 10 + (slice->start[i] - '0');
    }
  return TRUE;
}

static gboolean
openai_glance_read_detail (const ReeveJsonSlice *details, const char *name, gint64 *count)
{
  const char *const names[] = { name, NULL };
  ReeveJsonSlice slice = { 0 };

  *count = -1;
  if (openai_glance_is_nothing (details))
    return TRUE;
  return openai_glance_is (details, '{') && openai_glance_find (details, names, &slice)
         && openai_glance_read_count (&slice, count);
}

static gboolean
openai_glance_read_usage (OpenaiGlance *self, const ReeveJsonSlice *usage)
{
  static const char *const names[] = { "prompt_tokens", "completion_tokens",
                                       "prompt_tokens_details", "completion_tokens_details", NULL };
  ReeveJsonSlice found[4] = { 0 };

  if (openai_glance_is_nothing (usage))
    return TRUE;
  self->counted = TRUE;
  return openai_glance_is (usage, '{') && openai_glance_find (usage, names, found)
         && openai_glance_read_count (&found[0], &self->input_tokens)
         && openai_glance_read_count (&found[1], &self->output_tokens)
         && openai_glance_read_detail (&found[2], "cached_tokens", &self->cached_tokens)
         && openai_glance_read_detail (&found[3], "reasoning_tokens", &self->reasoning_tokens);
}

static gboolean
openai_glance_read_content (OpenaiGlance *self, const ReeveJsonSlice *content)
{
  g_autoptr (JsonNode) node = NULL;

  if (openai_glance_is_nothing (content))
    return TRUE;
  if (!openai_glance_is (content, '"'))
    return FALSE;
  self->content = (ReeveJsonSlice){ content->start + 1, content->length - 2 };
  if (memchr (content->start, '\\', content->length) == NULL)
    return TRUE;
  node = reeve_json_parse_strict (content->start, content->length, NULL);
  self->decoded = node != NULL ? json_node_dup_string (node) : NULL;
  return self->decoded != NULL;
}

static gboolean
openai_glance_read_message (OpenaiGlance *self, const ReeveJsonSlice *message)
{
  static const char *const names[]
      = { "content", "reasoning_content", "reasoning", "refusal", "tool_calls", NULL };
  ReeveJsonSlice found[5] = { 0 };

  if (!openai_glance_is (message, '{') || !openai_glance_find (message, names, found))
    return FALSE;
  for (guint i = 1; i < G_N_ELEMENTS (found); i++)
    if (!openai_glance_is_nothing (&found[i]))
      return FALSE;
  return openai_glance_read_content (self, &found[0]);
}

/* The list has one object, which is the first choice. */
static gboolean
openai_glance_read_choices (OpenaiGlance *self, const ReeveJsonSlice *choices)
{
  static const char *const names[] = { "index", "delta", "message", "finish_reason", NULL };
  ReeveJsonSlice choice = { choices->start + 1, choices->length - 2 };
  ReeveJsonSlice found[4] = { 0 };
  const ReeveJsonSlice *reason = &found[3];

  if (!openai_glance_find (&choice, names, found)
      || (found[0].start != NULL && (found[0].length != 1 || *found[0].start != '0'))
      || (found[1].start != NULL && found[2].start != NULL)
      || !openai_glance_read_message (self, found[1].start != NULL ? &found[1] : &found[2]))
    return FALSE;
  if (openai_glance_is_nothing (reason))
    return TRUE;
  if (*reason->start != '"' || memchr (reason->start, '\\', reason->length) != NULL)
    return FALSE;
  self->reason = (ReeveJsonSlice){ reason->start + 1, reason->length - 2 };
  return TRUE;
}

/**
 * openai_glance_read:
 * @self: (out caller-allocates): what was read; points into @data
 * @data: a chat completion, or one chunk of it
 * @length: of it
 *
 * All of @data is scanned as reeve_json_scan() does.
 *
 * Returns: %FALSE when it must be read from its tree: it is wrong, or says more than this knows
 */
gboolean
openai_glance_read (OpenaiGlance *self, const char *data, gsize length)
{
  static const char *const names[] = { "choices", "usage", "error", NULL };
  ReeveJsonSlice found[3] = { 0 };

  *self = (OpenaiGlance){ 0 };
  return reeve_json_find_members (data, length, names, found, NULL)
         && openai_glance_is (&found[0], '[') && openai_glance_is_nothing (&found[2])
         && openai_glance_read_choices (self, &found[0])
         && openai_glance_read_usage (self, &found[1]);
}

/**
 * openai_glance_emit:
 * @self: what was read
 * @sink: where to
 * @finished: (inout): set to %TRUE when the answer says why it ended
 * @error: return location
 *
 * The same deltas in the same order as openai_chunk_emit_chat() has them.
 *
 * Returns: %FALSE with the sink's error
 */
gboolean
openai_glance_emit (const OpenaiGlance *self, const OpenaiSink *sink, gboolean *finished,
                    GError **error)
{
  const char *text = self->decoded != NULL ? self->decoded : self->content.start;
  gsize length = self->decoded != NULL ? strlen (self->decoded) : self->content.length;

  if (!openai_chunk_emit_text (sink, REEVE_LLM_DELTA_TEXT, text, length, error))
    return FALSE;
  if (self->counted
      && !openai_chunk_emit_counts (sink, self->input_tokens, self->output_tokens,
                                    self->cached_tokens, self->reasoning_tokens, error))
    return FALSE;
  if (self->reason.start == NULL)
    return TRUE;
  *finished = TRUE;
  return openai_chunk_emit_text (sink, REEVE_LLM_DELTA_FINISH, self->reason.start,
                                 self->reason.length, error);
}

void
openai_glance_clear (OpenaiGlance *self)
{
  g_clear_pointer (&self->decoded, g_free);
}
