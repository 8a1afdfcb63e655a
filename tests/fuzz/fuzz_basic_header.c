/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes what stands in `Authorization: Basic`, and the kept hash whose parameters are read: what
 * is taken apart can be put together again, and nothing is hashed that costs more than is taken. */
/* covers: plugins/auth-basic/basic-header.c host/governance/passwords-hash.c */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "basic-header.h"
#include "governance/passwords-hash.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
look_at_header (const char *token)
{
  g_auto (BasicHeader) header = { NULL };
  g_autofree char *together = NULL;
  g_autofree char *encoded = NULL;
  gsize letters = strcspn (token, "=");

  if (!basic_header_parse (&header, token))
    {
      g_assert (header.tenant == NULL && header.user == NULL && header.password == NULL);
      return;
    }
  g_assert (*header.user != '\0' && strpbrk (header.user, ":/") == NULL);
  g_assert (header.tenant == NULL
            || (*header.tenant != '\0' && strpbrk (header.tenant, ":/") == NULL));
  g_assert (*header.password != '\0' && g_utf8_validate (header.password, -1, NULL));
  together
      = g_strconcat (header.tenant != NULL ? header.tenant : "", header.tenant != NULL ? "/" : "",
                     header.user, ":", header.password, NULL);
  encoded = g_base64_encode ((const guchar *) together, strlen (together));
  /* the last letter may have bits that mean nothing */
  g_assert (strncmp (encoded, token, letters - 1) == 0 && strcspn (encoded, "=") == letters);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  char *prepared = reeve_passwords_hash_prepare (text);
  char *again = prepared != NULL ? reeve_passwords_hash_prepare (prepared) : NULL;

  look_at_header (text);
  g_assert_cmpstr (prepared, ==, again);
  if (reeve_passwords_hash_is_one (text))
    g_assert (g_str_has_prefix (text, "$argon2id$v=19$m=") && strlen (text) < 128);
  reeve_passwords_hash_wipe (prepared);
  reeve_passwords_hash_wipe (again);
  return 0;
}
