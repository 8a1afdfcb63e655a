/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests/npm/test-schema.mjs: reads a schema a line, then judges the instances of the file given
 * as argument (a JSON array) by it: a line of one 1 (valid) or 0 each, or "-" when the schema is
 * refused. */
#include "base/json-schema.h"

#include <stdio.h>
#include <string.h>

static void
verdict_print (const char *line, JsonArray *instances)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (line, strlen (line), NULL);
  g_autoptr (ReeveSchema) schema = node != NULL ? reeve_schema_new_from_json (node, NULL) : NULL;

  if (schema == NULL)
    {
      puts ("-");
      return;
    }
  for (guint i = 0; i < json_array_get_length (instances); i++)
    putchar (reeve_schema_validate (schema, json_array_get_element (instances, i), NULL, NULL)
                 ? '1'
                 : '0');
  putchar ('\n');
}

int
main (int argc, char **argv)
{
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) instances = NULL;
  g_autoptr (GError) error = NULL;
  char *line = NULL;
  size_t size = 0;
  gsize length = 0;

  if (argc != 2 || !g_file_get_contents (argv[1], &text, &length, &error))
    g_error ("usage: schema-verdict FILE: %s", error != NULL ? error->message : "no file");
  instances = reeve_json_parse_strict (text, length, &error);
  if (instances == NULL)
    g_error ("%s: %s", argv[1], error->message);
  while (getline (&line, &size, stdin) > 0)
    {
      line[strcspn (line, "\n")] = '\0';
      verdict_print (line, json_node_get_array (instances));
    }
  free (line);
  return 0;
}
