/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each check asks the host through an operation, says what it found, and what to do when it is bad.
 */
#include "cli-doctor.h"

#include <glib/gi18n.h>
#include <string.h>

#include "cli-commands.h"
#include "cli-host.h"

typedef struct
{
  const char *noun;
  const char *verb;
  const char *what;   /* translated */
  const char *remedy; /* translated */
} ReeveCliDoctorCheck;

static const ReeveCliDoctorCheck reeve_cli_doctor_checks[] = {
  { "models", "list", N_ ("a model is configured"), N_ ("add one to llm.providers in reeve.yaml") },
  { "tools", "list", N_ ("tools are there"),
    N_ ("see reevectl plugins list for what was refused") },
  { "plugins", "list", N_ ("no plugin was refused"),
    N_ ("the reason stands in reevectl plugins list") },
  { "encryption", "show", N_ ("stores are encrypted"),
    N_ ("set encryption.enabled in reeve.yaml, see docs/encryption.md") },
  { "audit", "verify", N_ ("the audit log verifies"),
    N_ ("copy the state folder, then reevectl audit verify --state-dir DIR") },
};

static void
reeve_cli_doctor_say (gboolean good, const char *what, const char *remedy)
{
  g_print ("%s  %s\n", good ? _ ("good") : _ ("BAD "), what);
  if (!good)
    g_print ("      %s\n", remedy);
}

static gboolean
reeve_cli_doctor_has_items (JsonObject *body)
{
  static const char *const names[] = { "items", "models", "tools", "data" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      JsonArray *items = reeve_json_get_array (body, names[i]);

      if (items != NULL)
        return json_array_get_length (items) > 0;
    }
  return FALSE;
}

static gboolean
reeve_cli_doctor_none_refused (JsonObject *body)
{
  JsonArray *items = reeve_json_get_array (body, "items");

  for (guint i = 0; items != NULL && i < json_array_get_length (items); i++)
    {
      const char *state
          = reeve_json_get_string (json_array_get_object_element (items, i), "state", "");

      if (strcmp (state, "refused") == 0 || strcmp (state, "failed") == 0)
        return FALSE;
    }
  return items != NULL;
}

static gboolean
reeve_cli_doctor_judge (const ReeveCliDoctorCheck *check, JsonObject *body)
{
  if (strcmp (check->noun, "plugins") == 0)
    return reeve_cli_doctor_none_refused (body);
  if (strcmp (check->noun, "audit") == 0)
    return reeve_json_get_boolean (body, "valid", FALSE);
  if (strcmp (check->noun, "encryption") == 0)
    return reeve_json_get_boolean (body, "enabled", FALSE);
  return reeve_cli_doctor_has_items (body);
}

/* What is in order, and could be better. */
static void
reeve_cli_doctor_advise (JsonObject *body)
{
  if (reeve_json_get_boolean (body, "key_beside", FALSE))
    g_print ("      %s\n",
             _ ("their master key lies in the state folder, and in every copy of it: see "
                "docs/encryption.md for better places"));
}

static gboolean
reeve_cli_doctor_check (ReeveCliHost *host, const ReeveCliDoctorCheck *check)
{
  const ReeveCliCommand *command = reeve_cli_commands_find (check->noun, check->verb);
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (ReeveCliAnswer) answer = NULL;
  g_autoptr (JsonNode) node = NULL;
  gboolean good = FALSE;

  answer = reeve_cli_host_call (host, command, params, NULL, NULL);
  node = reeve_json_parse_strict (answer->body, strlen (answer->body), NULL);
  good = answer->exit == REEVE_CLI_DONE && node != NULL && JSON_NODE_HOLDS_OBJECT (node)
         && reeve_cli_doctor_judge (check, json_node_get_object (node));
  reeve_cli_doctor_say (good, _ (check->what),
                        answer->detail != NULL ? answer->detail : _ (check->remedy));
  if (good)
    reeve_cli_doctor_advise (json_node_get_object (node));
  return good;
}

/**
 * reeve_cli_doctor_run:
 * @options: the command line
 *
 * Returns: an exit code: failed when something is not in order
 */
int
reeve_cli_doctor_run (ReeveCliOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCliHost) host = reeve_cli_host_new (options, &error);
  gboolean good = TRUE;

  reeve_cli_doctor_say (host != NULL, _ ("a host is there"), host == NULL ? error->message : "");
  if (host == NULL)
    return REEVE_CLI_UNREACHABLE;
  for (guint i = 0; i < G_N_ELEMENTS (reeve_cli_doctor_checks); i++)
    good = reeve_cli_doctor_check (host, &reeve_cli_doctor_checks[i]) && good;
  return good ? REEVE_CLI_DONE : REEVE_CLI_FAILED;
}
