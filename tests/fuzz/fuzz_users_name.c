/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of users: what is folded is folded for good, and what may be a name shows itself in each of
 * its forms. */
/* covers: host/governance/users-name.c */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "governance/users-name.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *folded = reeve_users_name_fold (text);
  g_autofree char *twice = reeve_users_name_fold (folded);

  g_assert_cmpstr (twice, ==, folded);
  if (!g_utf8_validate (text, -1, NULL))
    return 0;
  g_assert_true (g_utf8_validate (folded, -1, NULL));
  if (reeve_users_name_check (text, NULL))
    {
      g_assert_true (reeve_users_name_check (folded, NULL));
      g_assert_null (strchr (folded, '/'));
    }
  return 0;
}
