/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The strict scanner: scan, tree and slices agree on every text, and the canonical form is a fixed
 * point. */
/* covers: plugin-api/reeve-json-scanner.c
 * plugin-api/reeve-json-canonical.c
 * plugin-api/reeve-json.c */
#include <reeve-plugin-1.h>

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
fuzz_members (const char *text, gsize size, gboolean is_object)
{
  static const char *const names[] = { "model", "messages", "a", NULL };
  ReeveJsonSlice slices[3];

  g_assert_true (reeve_json_find_members (text, size, names, slices, NULL) == is_object);
  for (guint i = 0; i < 3; i++)
    if (slices[i].start != NULL)
      {
        g_assert_true (slices[i].start > text && slices[i].start + slices[i].length < text + size);
        g_assert_true (reeve_json_scan (slices[i].start, slices[i].length, NULL));
      }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *text = (const char *) data;
  g_autoptr (GError) error = NULL;
  gboolean good = reeve_json_scan (text, size, &error);
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, size, NULL);

  g_assert_true (good == (node != NULL) && good == (error == NULL));
  fuzz_members (text, size, node != NULL && JSON_NODE_HOLDS_OBJECT (node));
  if (node == NULL)
    return 0;
  g_autofree char *canonical = reeve_json_canonical (node);
  g_autoptr (JsonNode) again = reeve_json_parse_strict (canonical, strlen (canonical), &error);
  g_assert_no_error (error);
  g_autofree char *second = reeve_json_canonical (again);
  g_assert_cmpstr (canonical, ==, second);
  return 0;
}
