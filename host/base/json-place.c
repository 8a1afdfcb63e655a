/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A walk over a text that the strict scanner has taken already: so it is one value, properly
 * nested, and nothing has to be checked again but the end. */
#include "json-place.h"

#include <string.h>

typedef struct
{
  const char *at;
  const char *end;
} ReeveJsonPlace;

static void
reeve_json_place_skip_space (ReeveJsonPlace *self)
{
  while (self->at < self->end && strchr (" \t\r\n,:", *self->at) != NULL && *self->at != '\0')
    self->at++;
}

/* Behind the string that begins here. */
static void
reeve_json_place_skip_string (ReeveJsonPlace *self)
{
  for (self->at++; self->at < self->end && *self->at != '"'; self->at++)
    if (*self->at == '\\')
      self->at++;
  if (self->at < self->end)
    self->at++;
}

/* Behind the value that begins here. */
static void
reeve_json_place_skip_value (ReeveJsonPlace *self)
{
  gsize depth = 0;

  do
    {
      reeve_json_place_skip_space (self);
      if (self->at >= self->end)
        return;
      if (*self->at == '"')
        reeve_json_place_skip_string (self);
      else if (*self->at == '{' || *self->at == '[')
        depth++, self->at++;
      else if (*self->at == '}' || *self->at == ']')
        depth--, self->at++;
      else
        while (self->at < self->end && strchr (" \t\r\n,]}", *self->at) == NULL)
          self->at++;
    }
  while (depth > 0);
}

/* At the value of a member of the object that begins here; escaped names are not looked for. */
static gboolean
reeve_json_place_enter_object (ReeveJsonPlace *self, const char *name)
{
  gsize length = strlen (name);

  for (self->at++, reeve_json_place_skip_space (self); self->at < self->end && *self->at == '"';
       reeve_json_place_skip_space (self))
    {
      const char *key = self->at + 1;

      reeve_json_place_skip_string (self);
      reeve_json_place_skip_space (self);
      if ((gsize) (self->end - key) > length && strncmp (key, name, length) == 0
          && key[length] == '"')
        return TRUE;
      reeve_json_place_skip_value (self);
    }
  return FALSE;
}

static gboolean
reeve_json_place_enter_array (ReeveJsonPlace *self, const char *name)
{
  guint64 index = 0;

  if (!g_ascii_string_to_unsigned (name, 10, 0, G_MAXUINT32, &index, NULL))
    return FALSE;
  for (self->at++, reeve_json_place_skip_space (self);
       index > 0 && self->at < self->end && *self->at != ']'; index--)
    {
      reeve_json_place_skip_value (self);
      reeve_json_place_skip_space (self);
    }
  return self->at < self->end && *self->at != ']';
}

/* (transfer full): one step of a pointer (RFC 6901) */
static char *
reeve_json_place_unescape (const char *step)
{
  GString *name = g_string_new (step);

  g_string_replace (name, "~1", "/", 0);
  g_string_replace (name, "~0", "~", 0);
  return g_string_free (name, FALSE);
}

/**
 * reeve_json_place_line:
 * @text: JSON that the strict scanner has taken
 * @length: in bytes
 * @pointer: RFC 6901
 *
 * Returns: the line that the value begins in, from 1; where it is missing, that of what encloses it
 */
guint
reeve_json_place_line (const char *text, gsize length, const char *pointer)
{
  ReeveJsonPlace self = { text, text + length };
  g_auto (GStrv) steps = g_strsplit (*pointer == '/' ? pointer + 1 : pointer, "/", -1);
  const char *found = text;
  guint line = 1;

  reeve_json_place_skip_space (&self);
  found = self.at;
  for (guint i = 0; *pointer == '/' && steps[i] != NULL; i++)
    {
      g_autofree char *name = reeve_json_place_unescape (steps[i]);

      if (self.at >= self.end
          || !(*self.at == '{'   ? reeve_json_place_enter_object (&self, name)
               : *self.at == '[' ? reeve_json_place_enter_array (&self, name)
                                 : FALSE))
        break;
      found = self.at;
    }
  for (const char *p = text; p < found && p < self.end; p++)
    line += *p == '\n';
  return line;
}
