/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keyed by what dies with the process: a plain digest of a name or an address would confirm every
 * guess, and a key that lay anywhere would be one more thing to guard. So within one run of the
 * host the same text is known again, and no longer. */
#include "pseudonyms.h"

#include <string.h>

#include "base/digests.h"
#include "base/ids.h"

/* of the digest; two texts of one process do not meet in them */
#define REEVE_PSEUDONYMS_BYTES 8

void
reeve_pseudonyms_init (ReevePseudonyms *self)
{
  reeve_ids_fill_random (self->key, sizeof self->key);
}

/**
 * reeve_pseudonyms_name:
 * @self: pseudonyms
 * @kind: of what: the same text has another one in each kind
 * @text: what is not to be written
 *
 * Returns: (transfer full): its name in records
 */
char *
reeve_pseudonyms_name (const ReevePseudonyms *self, const char *kind, const char *text)
{
  g_autofree char *named = g_strjoin ("\n", kind, text, NULL);
  guint8 digest[32] = { 0 };
  g_autofree char *hex = NULL;

  reeve_digests_hmac_sha256 (self->key, sizeof self->key, named, strlen (named), digest);
  hex = reeve_digests_hex (digest, REEVE_PSEUDONYMS_BYTES);
  return g_strconcat (kind, "_", hex, NULL);
}
