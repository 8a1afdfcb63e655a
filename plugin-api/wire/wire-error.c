/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `invalid_argument` is `io.reeve.Error.InvalidArgument`, as on the host's own bus. Beside the text
 * go how long to wait and which member is meant, where an error knows. */
#include "wire-error.h"

#include <string.h>

#define WIRE_ERROR_PREFIX "io.reeve.Error."

static char *
wire_error_make_name (ReeveError code)
{
  GString *name = g_string_new (WIRE_ERROR_PREFIX);
  gboolean upper = TRUE;

  for (const char *at = reeve_error_get_name (code); *at != '\0'; at++)
    {
      if (*at == '_')
        upper = TRUE;
      else
        {
          g_string_append_c (name, upper ? g_ascii_toupper (*at) : *at);
          upper = FALSE;
        }
    }
  return g_string_free (name, FALSE);
}

/* Errors of GIO that a call may end with by itself. */
static ReeveError
wire_error_get_code (const GError *error)
{
  if (error->domain == REEVE_ERROR)
    return (ReeveError) error->code;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return REEVE_ERROR_CANCELLED;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return REEVE_ERROR_TIMEOUT;
  return REEVE_ERROR_FAILED;
}

char *
wire_error_get_name (const GError *error)
{
  return wire_error_make_name (wire_error_get_code (error));
}

/* Valid UTF-8, one line, not too long. */
static char *
wire_error_clean (const char *text)
{
  gsize length = strnlen (text, WIRE_ERROR_MAX_TEXT);
  char *clean = g_utf8_make_valid (text, (gssize) length);

  for (char *at = clean; *at != '\0'; at++)
    {
      if (g_ascii_iscntrl (*at))
        *at = ' ';
    }
  return clean;
}

GError *
wire_error_new (const char *name, const char *text)
{
  g_autofree char *clean = wire_error_clean (text);

  for (guint code = 0; code <= REEVE_ERROR_CAPABILITY_REVOKED; code++)
    {
      g_autofree char *one = wire_error_make_name ((ReeveError) code);

      if (strcmp (one, name) == 0)
        return g_error_new_literal (REEVE_ERROR, (int) code, clean);
    }
  return g_error_new (REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s", clean);
}

WireLetter *
wire_error_to_letter (guint32 serial, const GError *error)
{
  g_autofree char *name = wire_error_get_name (error);
  g_autofree char *text = wire_error_clean (error->message);
  const char *member = error->domain == REEVE_ERROR ? reeve_error_get_member (error) : NULL;
  guint wait = error->domain == REEVE_ERROR ? reeve_error_get_wait (error) : 0;
  g_autofree char *about = member != NULL ? wire_error_clean (member) : g_strdup ("");

  return wire_letter_new_error (serial, name, g_variant_new ("(sus)", text, wait, about));
}

GError *
wire_error_from_letter (WireLetter *reply)
{
  const gboolean known
      = strcmp (reply->head.signature, "sus") == 0 || strcmp (reply->head.signature, "s") == 0;
  GVariant *body = known && wire_letter_read_body (reply, NULL) ? reply->body : NULL;
  const char *name = reply->head.error_name;
  const char *text = "its answer says nothing";
  const char *member = "";
  guint32 wait = 0;
  GError *error = NULL;

  if (body != NULL && g_variant_is_of_type (body, G_VARIANT_TYPE ("(sus)")))
    g_variant_get (body, "(&su&s)", &text, &wait, &member);
  else if (body != NULL && g_variant_is_of_type (body, G_VARIANT_TYPE ("(s)")))
    g_variant_get (body, "(&s)", &text);
  error = wire_error_new (name != NULL ? name : "", text);
  if (wait != 0)
    reeve_error_set_wait (error, wait);
  if (member[0] == '/' && error->code == REEVE_ERROR_INVALID_ARGUMENT)
    {
      g_autofree char *about = wire_error_clean (member);
      reeve_error_prefix_member (&error, "%s", about);
    }
  return error;
}
