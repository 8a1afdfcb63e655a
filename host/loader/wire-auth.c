/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* D-Bus specification 0.41, "Authentication Protocol", the server's side: EXTERNAL alone, few and
 * short lines. */
#include "wire-auth.h"

#include <string.h>

#define REEVE_WIRE_AUTH_MAX_LINES 16

static void
reeve_wire_auth_accept (ReeveWireAuth *self, GString *answer)
{
  self->known = TRUE;
  g_string_append_printf (answer, "OK %s\r\n", self->guid);
}

static gboolean
reeve_wire_auth_is (const ReeveWireAuth *self, const char *word)
{
  gsize length = strlen (word);

  return strncmp (self->line, word, length) == 0
         && (self->line[length] == '\0' || self->line[length] == ' ');
}

static gboolean
reeve_wire_auth_take_line (ReeveWireAuth *self, GString *answer)
{
  if (++self->lines > REEVE_WIRE_AUTH_MAX_LINES)
    return FALSE;
  if (strcmp (self->line, "BEGIN") == 0)
    self->done = self->known;
  else if (self->known && strcmp (self->line, "NEGOTIATE_UNIX_FD") == 0)
    g_string_append (answer, "AGREE_UNIX_FD\r\n");
  else if (!self->known && strcmp (self->line, "AUTH EXTERNAL") == 0)
    g_string_append (answer, "DATA\r\n");
  else if (!self->known
           && (reeve_wire_auth_is (self, "AUTH EXTERNAL") || reeve_wire_auth_is (self, "DATA")))
    reeve_wire_auth_accept (self, answer);
  else if (!self->known && reeve_wire_auth_is (self, "AUTH"))
    g_string_append (answer, "REJECTED EXTERNAL\r\n");
  else
    g_string_append (answer, "ERROR\r\n");
  return self->done || strcmp (self->line, "BEGIN") != 0;
}

static gboolean
reeve_wire_auth_take_byte (ReeveWireAuth *self, guint8 byte, GString *answer)
{
  if (!self->begun)
    {
      self->begun = TRUE;
      return byte == 0;
    }
  if (byte == 0 || self->length + 1 >= sizeof self->line)
    return FALSE;
  self->line[self->length++] = (char) byte;
  if (byte != '\n')
    return TRUE;
  if (self->length < 2 || self->line[self->length - 2] != '\r')
    return FALSE;
  self->line[self->length - 2] = '\0';
  self->length = 0;
  return reeve_wire_auth_take_line (self, answer);
}

gsize
reeve_wire_auth_feed (ReeveWireAuth *self, const guint8 *data, gsize length, GString *answer,
                      GError **error)
{
  gsize taken = 0;

  while (taken < length && !self->done)
    {
      if (reeve_wire_auth_take_byte (self, data[taken++], answer))
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   "it does not begin as a peer of D-Bus does");
      return G_MAXSIZE;
    }
  return taken;
}
