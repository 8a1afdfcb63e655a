/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A keyed digest, whose key ends with the process: lines of one user can be told to be of one, and
 * nobody confirms a guess. */
#include "log-pseudonyms.h"

#include <string.h>

#include "digests.h"
#include "ids.h"

/* what the host's ids of users begin with */
#define REEVE_LOG_PSEUDONYMS_USER "usr_"
/* bytes of the digest that are shown */
#define REEVE_LOG_PSEUDONYMS_SHOWN 8

struct _ReeveLogPseudonyms
{
  guint8 key[REEVE_DIGESTS_LENGTH];
};

/**
 * reeve_log_pseudonyms_new:
 *
 * Returns: (transfer full): pseudonyms that no other has
 */
ReeveLogPseudonyms *
reeve_log_pseudonyms_new (void)
{
  ReeveLogPseudonyms *self = g_new0 (ReeveLogPseudonyms, 1);

  reeve_ids_fill_random (self->key, sizeof self->key);
  return self;
}

void
reeve_log_pseudonyms_free (ReeveLogPseudonyms *self)
{
  g_free (self);
}

static char *
reeve_log_pseudonyms_name_part (const ReeveLogPseudonyms *self, const char *id, gsize length)
{
  guint8 digest[REEVE_DIGESTS_LENGTH];
  char hex[2 * REEVE_LOG_PSEUDONYMS_SHOWN + 1];

  reeve_digests_hmac_sha256 (self->key, sizeof self->key, id, length, digest);
  reeve_digests_write_hex (digest, REEVE_LOG_PSEUDONYMS_SHOWN, hex);
  return g_strconcat ("anon_", hex, NULL);
}

/**
 * reeve_log_pseudonyms_name:
 * @self: pseudonyms
 * @id: of a user
 *
 * Returns: (transfer full): the same text for the same id
 */
char *
reeve_log_pseudonyms_name (const ReeveLogPseudonyms *self, const char *id)
{
  return reeve_log_pseudonyms_name_part (self, id, strlen (id));
}

static gboolean
reeve_log_pseudonyms_is_word (char c)
{
  return g_ascii_isalnum (c) || c == '_' || c == '-';
}

/* How long the id is that begins here; 0: there is none. */
static gsize
reeve_log_pseudonyms_measure (const char *at, const char *id)
{
  gsize length = id != NULL ? strlen (id) : 0;

  if (length > 0 && strncmp (at, id, length) == 0 && !reeve_log_pseudonyms_is_word (at[length]))
    return length;
  if (!g_str_has_prefix (at, REEVE_LOG_PSEUDONYMS_USER))
    return 0;
  for (length = strlen (REEVE_LOG_PSEUDONYMS_USER); g_ascii_isalnum (at[length]);)
    length++;
  return length;
}

/**
 * reeve_log_pseudonyms_replace:
 * @self: pseudonyms
 * @text: of a line
 * @id: (nullable): whom the line is about
 *
 * Returns: (transfer full): it without ids of users
 */
char *
reeve_log_pseudonyms_replace (const ReeveLogPseudonyms *self, const char *text, const char *id)
{
  GString *out = g_string_sized_new (strlen (text));
  const char *at = text;

  while (*at != '\0')
    {
      gboolean begins = at == text || !reeve_log_pseudonyms_is_word (at[-1]);
      gsize length = begins ? reeve_log_pseudonyms_measure (at, id) : 0;
      g_autofree char *name = length > 0 ? reeve_log_pseudonyms_name_part (self, at, length) : NULL;

      if (name != NULL)
        g_string_append (out, name);
      else
        g_string_append_c (out, *at);
      at += MAX (length, 1);
    }
  return g_string_free (out, FALSE);
}
