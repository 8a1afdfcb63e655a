/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --param origins=https://a,https://b --param max_bytes=1000: a number where it is one, a list
 * where the name is a plural, which may be given again, else a text. */
#include "cli-grants.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/plain.h"

#define REEVE_CLI_GRANTS_MEMBER "parameters"

gboolean
reeve_cli_grants_is_param (const ReeveCliCommand *command, const char *name)
{
  return strcmp (name, "param") == 0 && strcmp (command->operation, "plugins.grant") == 0;
}

/* (transfer none): what is made of the member so far */
static JsonObject *
reeve_cli_grants_get_parameters (JsonObject *params)
{
  if (!json_object_has_member (params, REEVE_CLI_GRANTS_MEMBER))
    json_object_set_object_member (params, REEVE_CLI_GRANTS_MEMBER, json_object_new ());
  return reeve_json_get_object (params, REEVE_CLI_GRANTS_MEMBER);
}

static void
reeve_cli_grants_add_list (JsonObject *parameters, const char *name, const char *value)
{
  g_auto (GStrv) words = g_strsplit (value, ",", -1);
  JsonArray *list = reeve_json_get_array (parameters, name);

  if (list == NULL)
    {
      json_object_set_array_member (parameters, name, json_array_new ());
      list = json_object_get_array_member (parameters, name);
    }
  for (guint i = 0; words[i] != NULL; i++)
    if (*g_strstrip (words[i]) != '\0')
      json_array_add_string_element (list, words[i]);
}

/**
 * reeve_cli_grants_add_param:
 * @params: members of the operation
 * @text: KEY=VALUE
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
reeve_cli_grants_add_param (JsonObject *params, const char *text, GError **error)
{
  const char *equals = strchr (text, '=');
  JsonObject *parameters = reeve_cli_grants_get_parameters (params);
  g_autofree char *name = equals != NULL ? g_strndup (text, (gsize) (equals - text)) : NULL;
  gint64 number = 0;

  if (name == NULL || *name == '\0' || parameters == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "param: %s is not KEY=VALUE",
                   text);
      return FALSE;
    }
  if (g_ascii_string_to_signed (equals + 1, 10, G_MININT64, G_MAXINT64, &number, NULL))
    json_object_set_int_member (parameters, name, number);
  else if (g_str_has_suffix (name, "s"))
    reeve_cli_grants_add_list (parameters, name, equals + 1);
  else
    json_object_set_string_member (parameters, name, equals + 1);
  return TRUE;
}

void
reeve_cli_grants_take_tenant (ReeveCliOptions *options, const ReeveCliCommand *command,
                              JsonObject *params)
{
  if (options->tenant == NULL || strcmp (command->operation, "plugins.grant") != 0
      || json_object_has_member (params, "tenant_id"))
    return;
  json_object_set_string_member (params, "tenant_id", options->tenant);
  g_clear_pointer (&options->tenant, g_free);
}

/**
 * reeve_cli_grants_help:
 *
 * Prints the options that are no parameters of the operation.
 */
void
reeve_cli_grants_help (void)
{
  g_print ("  --param KEY=VALUE  %s\n", _ ("one member of --parameters; may be given again"));
  g_print ("  --tenant T  %s\n", _ ("the same as --tenant-id"));
}

/* ---- what a plugin may do ---- */

/* (transfer full): words one behind the other, all else as JSON */
static char *
reeve_cli_grants_show (JsonNode *node)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_dup_string (node);
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return reeve_json_text (node);
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "",
                            json_array_get_string_element (json_node_get_array (node), i));
  return g_strdup (text->len > 0 ? text->str : "-");
}

static void reeve_cli_grants_line (const char *indent, const char *name, const char *text);

/* Whatever a manifest or an administrator wrote stays in its line. */
static void
reeve_cli_grants_line (const char *indent, const char *name, const char *text)
{
  g_autofree char *line = reeve_plain_make_line (text);

  g_print ("%s%-14s  %s\n", indent, name, line);
}

/* (transfer full): from whom, how far, where, until when */
static char *
reeve_cli_grants_describe (JsonObject *grant)
{
  const char *tenant = reeve_json_get_string (grant, "tenant_id", NULL);
  const char *until = reeve_json_get_string (grant, "until", NULL);
  const char *id = reeve_json_get_string (grant, "grant_id", NULL);
  JsonObject *parameters = reeve_json_get_object (grant, "parameters");
  g_autoptr (GString) text = g_string_new (reeve_json_get_string (grant, "source", "?"));

  if (id != NULL)
    g_string_append_printf (text, " %s", id);
  if (parameters != NULL && json_object_get_size (parameters) > 0)
    {
      g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
      g_autofree char *json = NULL;

      json_node_set_object (node, parameters);
      json = reeve_json_text (node);
      g_string_append_printf (text, " %s", json);
    }
  if (tenant != NULL)
    g_string_append_printf (text, _ (", in tenant %s"), tenant);
  if (until != NULL)
    g_string_append_printf (text, _ (", until %s"), until);
  if (id != NULL)
    g_string_append_printf (text, " (%s): %s", reeve_json_get_string (grant, "status", "?"),
                            reeve_json_get_string (grant, "reason", ""));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
reeve_cli_grants_print_list (JsonObject *row, const char *member, const char *name)
{
  JsonArray *list = reeve_json_get_array (row, member);
  guint n = list != NULL ? json_array_get_length (list) : 0;

  if (n == 0)
    reeve_cli_grants_line ("  ", name, "-");
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = reeve_cli_grants_describe (json_array_get_object_element (list, i));

      reeve_cli_grants_line ("  ", i == 0 ? name : "", text);
    }
}

static void
reeve_cli_grants_print_ceiling (JsonObject *row)
{
  JsonObject *ceiling = reeve_json_get_object (row, "ceiling");
  JsonNode *parameters = ceiling != NULL ? json_object_get_member (ceiling, "parameters") : NULL;
  const char *key = reeve_json_get_string (ceiling, "key", NULL);
  g_autofree char *text = NULL;

  if (key != NULL)
    text = g_strdup_printf (_ ("not at all: %s"), key);
  else if (parameters != NULL && JSON_NODE_HOLDS_OBJECT (parameters)
           && json_object_get_size (json_node_get_object (parameters)) > 0)
    text = reeve_json_text (parameters);
  reeve_cli_grants_line ("  ", _ ("ceiling"), text != NULL ? text : "-");
}

static void
reeve_cli_grants_print_row (JsonObject *row)
{
  const char *risk = reeve_json_get_string (row, "risk", NULL);
  const char *remedy = reeve_json_get_string (row, "remedy", NULL);

  g_print ("\n");
  reeve_cli_grants_line ("", reeve_json_get_string (row, "capability", "?"),
                         reeve_json_get_string (row, "state", "?"));
  reeve_cli_grants_line ("  ", _ ("lets it"), reeve_json_get_string (row, "meaning", "-"));
  reeve_cli_grants_line ("  ", _ ("requested"), reeve_json_get_string (row, "reason", "-"));
  if (risk != NULL)
    reeve_cli_grants_line ("  ", _ ("RISK"), risk);
  reeve_cli_grants_print_list (row, "granted", _ ("granted"));
  reeve_cli_grants_print_ceiling (row);
  reeve_cli_grants_print_list (row, "effective", _ ("effective"));
  if (remedy != NULL)
    reeve_cli_grants_line ("  ", _ ("to grant"), remedy);
}

/**
 * reeve_cli_grants_print_plugin:
 * @plugin: answer of plugins.get
 *
 * Prints the plugin, and below it, capability by capability, what is requested, granted, left by
 * the ceiling and effective.
 */
void
reeve_cli_grants_print_plugin (JsonObject *plugin)
{
  static const char *const members[]
      = { "plugin_id",      "name",         "version",     "description", "state",
          "reason",         "enabled",      "disabled_by", "disabled_at", "disabled_reason",
          "runs_in",        "interpreter",  "profile",     "process",     "layers",
          "layers_missing", "accept_weaker" };
  JsonArray *rows = reeve_json_get_array (plugin, "grants");

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      JsonNode *node = json_object_get_member (plugin, members[i]);
      g_autofree char *text = NULL;

      if (node == NULL || JSON_NODE_HOLDS_NULL (node))
        continue;
      text = reeve_cli_grants_show (node);
      reeve_cli_grants_line ("", members[i], text);
    }
  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    reeve_cli_grants_print_row (json_array_get_object_element (rows, i));
}
