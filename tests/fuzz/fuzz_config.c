/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reeve.yaml of any bytes: a tree or one error, and bounded values from it. */
/* covers: host/base/config-yaml.c
 * host/base/config-aliases.c
 * host/base/config-values.c */
#include "base/config-aliases.h"
#include "base/config-values.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *const environment[] = { "A=1", "B=${A}", NULL };
  g_autoptr (GHashTable) origins = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) reeve_config_values_origin_free);
  const ReeveConfigSource source = { .label = "fuzz.yaml",
                                     .with_lines = TRUE,
                                     .chosen = TRUE,
                                     .environment = environment,
                                     .origins = origins };
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveConfigNode) node
      = reeve_config_yaml_parse ((const char *) data, size, "fuzz.yaml", &error);

  if (node == NULL)
    return 0;
  g_assert_no_error (error);
  if (node->kind == REEVE_CONFIG_MAP && !reeve_config_aliases_apply (node, "fuzz.yaml", &error))
    {
      g_assert_nonnull (error);
      return 0;
    }
  g_autoptr (JsonNode) value = reeve_config_values_convert (&source, node, NULL, "", &error);
  g_assert_true ((value == NULL) == (error != NULL));
  return 0;
}
