/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sample responses: a status line, headers, an empty line, the body. Headers X-Reeve-Task,
 * X-Reeve-Stream and X-Reeve-Error say what was asked and which error is expected; a codec does not
 * see them. */
#include "check-samples.h"

#include <string.h>

void
check_samples_entry_free (CheckSamplesEntry *self)
{
  g_free (self->name);
  g_free (self->error);
  g_clear_pointer (&self->head, reeve_http_response_unref);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_free (self);
}

static gboolean
check_samples_set_task (CheckSamplesEntry *entry, const char *value, GError **error)
{
  static const char *const names[] = { "chat", "embed", "models" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (value, names[i]) == 0)
      {
        entry->task = (ReeveLlmTask) i;
        return TRUE;
      }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
               "X-Reeve-Task is '%s', not chat, embed or models", value);
  return FALSE;
}

static gboolean
check_samples_header (CheckSamplesEntry *entry, const char *line, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (line, ":", 2);

  if (g_strv_length (parts) != 2)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "'%s' is no header", line);
      return FALSE;
    }
  g_strstrip (parts[1]);
  if (g_ascii_strcasecmp (parts[0], "X-Reeve-Task") == 0)
    return check_samples_set_task (entry, parts[1], error);
  if (g_ascii_strcasecmp (parts[0], "X-Reeve-Stream") == 0)
    entry->stream = strcmp (parts[1], "true") == 0;
  else if (g_ascii_strcasecmp (parts[0], "X-Reeve-Error") == 0)
    entry->error = g_strdup (parts[1]);
  else
    reeve_http_response_add_header (entry->head, parts[0], parts[1]);
  return TRUE;
}

CheckSamplesEntry *
check_samples_parse (const char *name, const char *text, gsize length, GError **error)
{
  g_autoptr (CheckSamplesEntry) entry = g_new0 (CheckSamplesEntry, 1);
  const char *end = g_strstr_len (text, (gssize) length, "\n\n");
  g_autofree char *head = NULL;
  g_auto (GStrv) lines = NULL;
  guint64 status = 0;

  entry->name = g_strdup (name);
  if (end == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "sample %s: no empty line ends the headers", name);
      return NULL;
    }
  head = g_strndup (text, (gsize) (end - text));
  lines = g_strsplit (head, "\n", -1);
  if (!g_str_has_prefix (lines[0], "HTTP/1.1 ")
      || (status = g_ascii_strtoull (lines[0] + 9, NULL, 10)) < 100 || status > 599)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "sample %s: the first line is no status line such as 'HTTP/1.1 200 OK'", name);
      return NULL;
    }
  entry->head = reeve_http_response_new ((guint) status);
  for (guint i = 1; lines[i] != NULL; i++)
    if (!check_samples_header (entry, lines[i], error))
      {
        g_prefix_error (error, "sample %s: ", name);
        return NULL;
      }
  end += 2;
  entry->body = g_bytes_new (end, length - (gsize) (end - text));
  return g_steal_pointer (&entry);
}

static int
check_samples_compare (gconstpointer a, gconstpointer b)
{
  const CheckSamplesEntry *const *one = a;
  const CheckSamplesEntry *const *other = b;

  return strcmp ((*one)->name, (*other)->name);
}

GPtrArray *
check_samples_load (const char *folder, GError **error)
{
  g_autoptr (GPtrArray) entries
      = g_ptr_array_new_with_free_func ((GDestroyNotify) check_samples_entry_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, error);
  const char *name = NULL;

  if (dir == NULL)
    return NULL;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autofree char *text = NULL;
      gsize length = 0;
      CheckSamplesEntry *entry = NULL;

      if (!g_str_has_suffix (name, ".http"))
        continue;
      if (!g_file_get_contents (path, &text, &length, error))
        return NULL;
      entry = check_samples_parse (name, text, length, error);
      if (entry == NULL)
        return NULL;
      g_ptr_array_add (entries, entry);
    }
  g_ptr_array_sort (entries, check_samples_compare);
  return g_steal_pointer (&entries);
}
