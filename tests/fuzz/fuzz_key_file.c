/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of sealed keys of any bytes: refused, or what comes out of it goes in again the same. */
/* covers: host/store/key-file.c */
#include "store/key-file.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const guint8 bytes[REEVE_MASTER_KEY_SIZE] = { 1 };
  static ReeveMasterKey *master = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveKeyFile) file
      = reeve_key_file_parse ("tenant:a:b", (const char *) data, size, &error);
  g_autoptr (ReeveKeyFile) again = NULL;
  g_autofree char *text = NULL;
  g_autofree char *twice = NULL;
  guint8 key[REEVE_MASTER_KEY_SIZE];

  g_assert_true ((file == NULL) == (error != NULL));
  if (file == NULL)
    return 0;
  if (master == NULL)
    master = reeve_master_key_new (bytes);
  g_assert_cmpuint (file->entries->len, >, 0);
  text = reeve_key_file_format (file);
  again = reeve_key_file_parse ("tenant:a:b", text, strlen (text), NULL);
  /* written out, "aes-gcm" is longer */
  if (again != NULL)
    {
      twice = reeve_key_file_format (again);
      g_assert_cmpstr (text, ==, twice);
    }
  else
    g_assert_cmpuint (strlen (text), >, REEVE_KEY_FILE_MAX_SIZE);
  /* nobody has the key that sealed it */
  for (guint32 number = 1; number < 4; number++)
    g_assert_cmpint (reeve_key_file_unseal (file, master, number, key, sizeof key, NULL), <, 0);
  return 0;
}
