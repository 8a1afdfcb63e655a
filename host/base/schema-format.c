/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The formats of JSON Schema that are held to: each by its RFC, none by a regular expression. */
#include "schema-internal.h"
#include "times.h"

#include <arpa/inet.h>
#include <string.h>

static const char *const reeve_schema_format_names[] = {
  [REEVE_SCHEMA_FORMAT_NONE] = "", /* no format has this name */
  [REEVE_SCHEMA_FORMAT_DATE_TIME] = "date-time",
  [REEVE_SCHEMA_FORMAT_DATE] = "date",
  [REEVE_SCHEMA_FORMAT_TIME] = "time",
  [REEVE_SCHEMA_FORMAT_URI] = "uri",
  [REEVE_SCHEMA_FORMAT_UUID] = "uuid",
  [REEVE_SCHEMA_FORMAT_EMAIL] = "email",
  [REEVE_SCHEMA_FORMAT_HOSTNAME] = "hostname",
  [REEVE_SCHEMA_FORMAT_IPV4] = "ipv4",
  [REEVE_SCHEMA_FORMAT_IPV6] = "ipv6",
};

/*
 * reeve_schema_format_from_name:
 *
 * Returns: the format, or %REEVE_SCHEMA_FORMAT_NONE for one that is only an annotation here
 */
ReeveSchemaFormat
reeve_schema_format_from_name (const char *name)
{
  for (guint i = 1; i < G_N_ELEMENTS (reeve_schema_format_names); i++)
    if (strcmp (name, reeve_schema_format_names[i]) == 0)
      return (ReeveSchemaFormat) i;
  return REEVE_SCHEMA_FORMAT_NONE;
}

const char *
reeve_schema_format_get_name (ReeveSchemaFormat format)
{
  return reeve_schema_format_names[format];
}

static gboolean
reeve_schema_format_is_time (const char *before, const char *text, const char *behind)
{
  g_autofree char *whole = g_strconcat (before, text, behind, NULL);
  gint64 time = 0;

  return reeve_times_parse (whole, &time, NULL);
}

/* RFC 1123: labels of 1 to 63 letters, digits and inner hyphens; 253 characters together */
static gboolean
reeve_schema_format_is_hostname (const char *text)
{
  gsize length = strlen (text), label = 0;

  if (length == 0 || length > 253)
    return FALSE;
  for (const char *at = text;; at++)
    {
      if (*at == '.' || *at == '\0')
        {
          if (label == 0 || label > 63 || at[-1] == '-')
            return FALSE;
          label = 0;
          if (*at == '\0')
            return TRUE;
          continue;
        }
      if (!g_ascii_isalnum (*at) && (*at != '-' || label == 0))
        return FALSE;
      label++;
    }
}

/* RFC 5321: dot-string @ domain; neither quoted local parts nor address literals */
static gboolean
reeve_schema_format_is_email (const char *text)
{
  const char *at_sign = strrchr (text, '@');

  if (at_sign == NULL || at_sign == text || at_sign - text > 64)
    return FALSE;
  for (const char *at = text; at < at_sign; at++)
    {
      gboolean dot = *at == '.';
      if (dot && (at == text || at + 1 == at_sign || at[1] == '.'))
        return FALSE;
      if (!dot && !g_ascii_isalnum (*at) && strchr ("!#$%&'*+-/=?^_`{|}~", *at) == NULL)
        return FALSE;
    }
  return reeve_schema_format_is_hostname (at_sign + 1);
}

/* RFC 3986, absolute or with a fragment; GUri checks the structure, but takes characters that are
 * none */
static gboolean
reeve_schema_format_is_uri (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("-._~:/?#[]@!$&'()*+,;=%", *at) == NULL)
      return FALSE;
  return g_uri_is_valid (text, G_URI_FLAGS_NONE, NULL);
}

/* RFC 9562 in text: 8-4-4-4-12 hexadecimal digits */
static gboolean
reeve_schema_format_is_uuid (const char *text)
{
  static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

  if (strlen (text) != sizeof shape - 1)
    return FALSE;
  for (guint i = 0; i < sizeof shape - 1; i++)
    if (shape[i] == 'x' ? !g_ascii_isxdigit (text[i]) : text[i] != shape[i])
      return FALSE;
  return TRUE;
}

/*
 * reeve_schema_format_matches:
 *
 * Returns: whether @text has that format
 */
gboolean
reeve_schema_format_matches (ReeveSchemaFormat format, const char *text)
{
  guint8 address[16];

  switch (format)
    {
    case REEVE_SCHEMA_FORMAT_DATE_TIME:
      return reeve_schema_format_is_time ("", text, "");
    case REEVE_SCHEMA_FORMAT_DATE:
      return reeve_schema_format_is_time ("", text, "T00:00:00Z");
    case REEVE_SCHEMA_FORMAT_TIME:
      return reeve_schema_format_is_time ("2000-01-01T", text, "");
    case REEVE_SCHEMA_FORMAT_URI:
      return reeve_schema_format_is_uri (text);
    case REEVE_SCHEMA_FORMAT_UUID:
      return reeve_schema_format_is_uuid (text);
    case REEVE_SCHEMA_FORMAT_EMAIL:
      return reeve_schema_format_is_email (text);
    case REEVE_SCHEMA_FORMAT_HOSTNAME:
      return reeve_schema_format_is_hostname (text);
    case REEVE_SCHEMA_FORMAT_IPV4:
      return inet_pton (AF_INET, text, address) == 1;
    case REEVE_SCHEMA_FORMAT_IPV6:
      return inet_pton (AF_INET6, text, address) == 1;
    case REEVE_SCHEMA_FORMAT_NONE:
    default:
      return TRUE;
    }
}
