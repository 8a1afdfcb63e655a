/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin's manifest of any bytes: whole, or refused with a reason. */
/* covers: host/loader/manifest-read.c
 * host/loader/manifest.c */
#include "loader/manifest.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveManifest) manifest = reeve_manifest_new_from_data (
      (const char *) data, size, "/nonexistent/fuzz/fuzz.plugin", &error);

  g_assert_true ((manifest == NULL) == (error != NULL));
  if (manifest == NULL)
    return 0;
  g_assert_nonnull (reeve_manifest_get_schema (manifest));
  g_assert_true (strchr (reeve_manifest_get_id (manifest), '/') == NULL);
  g_assert_true (g_str_has_prefix (reeve_manifest_get_module (manifest), "/nonexistent/fuzz/"));
  g_assert_null (
      strchr (reeve_manifest_get_module (manifest) + strlen ("/nonexistent/fuzz/"), '/'));
  return 0;
}
