/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Go's encoding/json takes a name in any case, and the last one counts: of {"model": "a", "Model":
 * "b"} the gate would admit a, and a service that is written in it be asked for b. */
#include "openai-members.h"

#include <string.h>

#include <reeve-json.h>

/* What is read here, or set on the way: by these names and no others. */
static const char *const reeve_openai_members_own[]
    = { "max_completion_tokens", "max_tokens", "messages", "model", "n", "stream",
        "stream_options",        NULL };

/* By which routers are told whom to ask besides (OpenRouter, LiteLLM). */
static const char *const reeve_openai_members_others[]
    = { "content_policy_fallbacks", "context_window_fallbacks", "fallbacks", "models", NULL };

/* Behind the string whose first quote is at @at. */
static const char *
reeve_openai_members_skip_text (const char *at, const char *end)
{
  for (;;)
    {
      const char *quote = memchr (at + 1, '"', (gsize) (end - at) - 1);
      const char *run = quote;

      while (run > at && run[-1] == '\\')
        run--;
      if ((quote - run) % 2 == 0)
        return quote + 1;
      at = quote;
    }
}

/* (transfer full): the name between @start and @end, its quotes */
static char *
reeve_openai_members_read_name (const char *start, const char *end)
{
  gsize length = (gsize) (end - start);
  g_autoptr (JsonNode) node
      = memchr (start, '\\', length) != NULL ? reeve_json_parse_strict (start, length, NULL) : NULL;

  return node != NULL ? g_strdup (json_node_get_string (node)) : g_strndup (start + 1, length - 2);
}

/* Most are: in this case none has another spelling. */
static gboolean
reeve_openai_members_is_plain (const char *start, const char *end)
{
  for (const char *at = start; at < end; at++)
    {
      if (g_ascii_isupper (*at) || (guint8) *at >= 0x80 || *at == '\\')
        return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_openai_members_is_other (const char *start, const char *end)
{
  gsize length = (gsize) (end - start) - 2;

  for (guint i = 0; reeve_openai_members_others[i] != NULL; i++)
    {
      if (strlen (reeve_openai_members_others[i]) == length
          && memcmp (reeve_openai_members_others[i], start + 1, length) == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
reeve_openai_members_check_name (const char *start, const char *end, GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *folded = NULL;
  g_autofree char *pointer = NULL;

  if (reeve_openai_members_is_plain (start, end) && !reeve_openai_members_is_other (start, end))
    return TRUE;
  name = reeve_openai_members_read_name (start, end);
  folded = g_utf8_casefold (name, -1);
  pointer = g_strconcat ("/", name, NULL);
  if (g_strv_contains (reeve_openai_members_others, folded))
    reeve_error_set_member (error, pointer, "who is asked besides only llm.fallbacks says");
  else if (g_strv_contains (reeve_openai_members_own, folded) && strcmp (name, folded) != 0)
    reeve_error_set_member (error, pointer, "there are services that read it as %s", folded);
  else
    return TRUE;
  return FALSE;
}

/**
 * reeve_openai_members_check:
 * @data: the text of an object that reeve_json_find_members() found good
 * @length: bytes of it
 * @error: return location: %REEVE_ERROR_INVALID_ARGUMENT
 *
 * Returns: whether it names one model, and nothing that is read here by another name besides
 */
gboolean
reeve_openai_members_check (const char *data, gsize length, GError **error)
{
  const char *end = data + length;
  const char *at = data;
  guint depth = 0;
  gboolean named = FALSE; /* the member of the outermost object whose value follows */

  while (at < end)
    {
      const char *start = at;

      at = *start == '"' ? reeve_openai_members_skip_text (start, end) : start + 1;
      if (*start == '{' || *start == '[')
        depth++;
      else if (*start == '}' || *start == ']')
        depth--;
      else if (*start == ',' && depth == 1)
        named = FALSE;
      else if (*start == '"' && depth == 1 && !named)
        {
          named = TRUE;
          if (!reeve_openai_members_check_name (start, at, error))
            return FALSE;
        }
    }
  return TRUE;
}
