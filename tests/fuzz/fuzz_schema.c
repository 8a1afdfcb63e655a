/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A JSON Schema from outside (a tool's, say), and a value that is held to it: the first line is the
 * schema, the rest the value. */
#include "base/json-schema.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *text = (const char *) data;
  const char *line = size > 0 ? memchr (text, '\n', size) : NULL;
  gsize length = line != NULL ? (gsize) (line - text) : size;
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, length, NULL);
  g_autoptr (ReeveSchema) schema = node != NULL ? reeve_schema_new_from_json (node, NULL) : NULL;
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) error = NULL;

  if (schema == NULL)
    return 0;
  /* a schema is a value too */
  g_autoptr (JsonNode) rest
      = line != NULL ? reeve_json_parse_strict (line + 1, size - length - 1, NULL) : NULL;
  gboolean valid = reeve_schema_validate (schema, rest != NULL ? rest : node, &faults, &error);
  g_assert_true (valid == (error == NULL));
  g_assert_true (!valid || faults == NULL);
  return 0;
}
