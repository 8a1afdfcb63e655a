/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For test_json_second_opinion.py: reads one text a line, in hexadecimal, and prints its canonical
 * form in hexadecimal, or "-" when it is refused. */
#include <reeve-plugin-1.h>

#include <stdio.h>
#include <string.h>

static char *
verdict_for (const char *line)
{
  gsize length = strlen (line) / 2;
  g_autofree char *text = g_malloc (length + 1);
  g_autoptr (GString) out = g_string_new (NULL);

  for (gsize i = 0; i < length; i++)
    text[i]
        = (char) (g_ascii_xdigit_value (line[2 * i]) << 4 | g_ascii_xdigit_value (line[2 * i + 1]));
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, length, NULL);
  if (node == NULL)
    return g_strdup ("-");
  g_autofree char *canonical = reeve_json_canonical (node);
  for (const char *at = canonical; *at != '\0'; at++)
    g_string_append_printf (out, "%02x", (guint8) *at);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

int
main (void)
{
  char *line = NULL;
  size_t size = 0;
  ssize_t length = 0;

  while ((length = getline (&line, &size, stdin)) > 0)
    {
      line[strcspn (line, "\n")] = '\0';
      g_autofree char *verdict = verdict_for (line);
      puts (verdict);
    }
  free (line);
  return 0;
}
