/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host checks itself; this shows what it found, and says by its exit code whether something
 * failed. */
#include "cli-doctor.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/plain.h"

#include "cli-commands.h"
#include "cli-host.h"

static const struct
{
  const char *state;
  const char *word; /* translated, all of one width */
} reeve_cli_doctor_words[] = {
  { "ok", N_ ("good") },
  { "warn", N_ ("WARN") },
  { "fail", N_ ("BAD ") },
  { "not_applicable", N_ ("-   ") },
};

static const char *
reeve_cli_doctor_get_word (const char *state)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_cli_doctor_words); i++)
    if (strcmp (state, reeve_cli_doctor_words[i].state) == 0)
      return _ (reeve_cli_doctor_words[i].word);
  return state;
}

static void
reeve_cli_doctor_print_item (JsonObject *item)
{
  g_autofree char *id = reeve_plain_make_line (reeve_json_get_string (item, "id", ""));
  g_autofree char *detail = reeve_plain_make_line (reeve_json_get_string (item, "detail", ""));
  g_autofree char *remedy = reeve_plain_make_line (reeve_json_get_string (item, "remedy", ""));

  g_print ("%s  %s: %s\n", reeve_cli_doctor_get_word (reeve_json_get_string (item, "state", "")),
           id, detail);
  if (*remedy != '\0')
    g_print ("      %s\n", remedy);
}

static void
reeve_cli_doctor_print (JsonObject *found)
{
  JsonArray *items = reeve_json_get_array (found, "items");

  for (guint i = 0; items != NULL && i < json_array_get_length (items); i++)
    reeve_cli_doctor_print_item (json_array_get_object_element (items, i));
  g_print (_ ("profile %s: %" G_GINT64_FORMAT " failed, %" G_GINT64_FORMAT " could be better\n"),
           reeve_json_get_string (found, "profile", ""), reeve_json_get_int (found, "failed", 0),
           reeve_json_get_int (found, "warned", 0));
}

/**
 * reeve_cli_doctor_print_answer:
 * @answer: of doctor.run
 * @json: print it as it came
 *
 * Returns: an exit code: failed when a check did
 */
int
reeve_cli_doctor_print_answer (ReeveCliAnswer *answer, gboolean json)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (answer->body, strlen (answer->body), NULL);

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return REEVE_CLI_FAILED;
  if (json)
    g_print ("%s\n", answer->body);
  else
    reeve_cli_doctor_print (json_node_get_object (node));
  return reeve_json_get_int (json_node_get_object (node), "failed", 0) > 0 ? REEVE_CLI_FAILED
                                                                           : REEVE_CLI_DONE;
}
