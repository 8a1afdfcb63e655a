/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An option is a member's name, without the _id at its end if you like, or the last words of one
 * where that is clear: --definition for initial_definition. Members that are lists take words
 * joined by commas and may be given again, objects take JSON or the name of a file that holds it,
 * money an amount and its currency (--cost-limit "25.50 USD"), secrets the name of such a file
 * only; null takes away what the operation lets be taken away (--cost-limit null). */
#include "cli-params.h"

#include <string.h>

#include "base/ids.h"

#include "cli-grants.h"

static const ReeveParameter *
reeve_cli_params_find (const ReeveCliCommand *command, const char *name)
{
  const ReeveParameter *found = NULL;
  g_autofree char *ending = g_strconcat ("_", name, NULL);
  g_autofree char *identifier = g_strconcat (name, "_id", NULL);

  for (const ReeveParameter *parameter = command->parameters; parameter->name != NULL; parameter++)
    {
      if (strcmp (parameter->name, name) == 0)
        return parameter;
    }
  for (const ReeveParameter *parameter = command->parameters; parameter->name != NULL; parameter++)
    {
      if (strcmp (parameter->name, identifier) == 0)
        return parameter;
    }
  for (const ReeveParameter *parameter = command->parameters; parameter->name != NULL; parameter++)
    {
      if (!g_str_has_suffix (parameter->name, ending))
        continue;
      if (found != NULL)
        return NULL;
      found = parameter;
    }
  return found;
}

static gboolean
reeve_cli_params_fail (GError **error, const char *name, const char *why)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s: %s", name, why);
  return FALSE;
}

static void
reeve_cli_params_add_words (JsonArray *array, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  for (guint i = 0; words[i] != NULL; i++)
    {
      g_strstrip (words[i]);
      if (*words[i] != '\0')
        json_array_add_string_element (array, words[i]);
    }
}

static JsonNode *
reeve_cli_params_read_list (const char *text)
{
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();

  reeve_cli_params_add_words (array, text);
  json_node_take_array (node, array);
  return node;
}

static JsonNode *
reeve_cli_params_read_json (const char *name, const char *text, GError **error)
{
  g_autofree char *data = NULL;
  gsize length = 0;
  JsonNode *node = NULL;

  if (*text == '{' || *text == '[')
    node = reeve_json_parse_strict (text, strlen (text), error);
  else if (g_file_get_contents (text, &data, &length, error))
    node = reeve_json_parse_strict (data, length, error);
  if (node == NULL)
    g_prefix_error (error, "%s: ", name);
  return node;
}

/* An amount and its currency, in one word or two; as JSON too. */
static JsonNode *
reeve_cli_params_read_money (const char *name, const char *text, GError **error)
{
  gsize length = strcspn (text, " ");
  g_autofree char *amount = g_strndup (text, length);
  const char *currency = text + length + strspn (text + length, " ");
  JsonNode *node = NULL;
  JsonObject *money = NULL;

  if (*text == '{')
    return reeve_cli_params_read_json (name, text, error);
  if (length == 0 || *currency == '\0')
    {
      reeve_cli_params_fail (error, name, "is an amount and its currency: \"25.50 USD\"");
      return NULL;
    }
  money = json_object_new ();
  json_object_set_string_member (money, "amount", amount);
  json_object_set_string_member (money, "currency", currency);
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (node, money);
  return node;
}

static JsonNode *
reeve_cli_params_read_number (const char *name, const char *text, gboolean whole, GError **error)
{
  char *end = NULL;
  gint64 integer = 0;
  double real = 0;

  if (whole && g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &integer, NULL))
    return json_node_init_int (json_node_alloc (), integer);
  real = g_ascii_strtod (text, &end);
  if (!whole && *text != '\0' && *end == '\0')
    return json_node_init_double (json_node_alloc (), real);
  reeve_cli_params_fail (error, name, whole ? "is not a whole number" : "is not a number");
  return NULL;
}

static JsonNode *
reeve_cli_params_read_boolean (const char *name, const char *text, GError **error)
{
  if (*text == '\0' || strcmp (text, "true") == 0 || strcmp (text, "yes") == 0)
    return json_node_init_boolean (json_node_alloc (), TRUE);
  if (strcmp (text, "false") == 0 || strcmp (text, "no") == 0)
    return json_node_init_boolean (json_node_alloc (), FALSE);
  reeve_cli_params_fail (error, name, "is true or false");
  return NULL;
}

/* Takes the ends of the line off. FALSE: there is more than one line, of which nobody may take the
 * first for the whole. */
static gboolean
reeve_cli_params_take_line (const char *name, char *data, gsize length, GError **error)
{
  while (length > 0 && (data[length - 1] == '\n' || data[length - 1] == '\r'))
    data[--length] = '\0';
  if (strcspn (data, "\r\n") == length)
    return TRUE;
  return reeve_cli_params_fail (error, name,
                                "has more than one line, or a NUL byte: a secret is one line");
}

/* A secret is not typed as an argument, where everybody sees it and the shell remembers it: the
 * line of a file, or of standard input. */
static JsonNode *
reeve_cli_params_read_secret (const char *name, const char *text, GError **error)
{
  g_autofree char *data = NULL;
  gsize length = 0;
  JsonNode *node = NULL;

  if (!g_file_get_contents (strcmp (text, "-") == 0 ? "/dev/stdin" : text, &data, &length, error))
    {
      g_prefix_error (error,
                      "%s is the name of a file that holds it, or - for standard input: ", name);
      return NULL;
    }
  if (!g_utf8_validate (data, -1, NULL))
    reeve_cli_params_fail (error, name, "is not UTF-8 text");
  else if (reeve_cli_params_take_line (name, data, length, error))
    node = json_node_init_string (json_node_alloc (), data);
  memset (data, 0, length);
  return node;
}

/* What is text, and what an address is made of, is never null. */
static gboolean
reeve_cli_params_is_null (const ReeveParameter *parameter, const char *text)
{
  return strcmp (text, "null") == 0 && parameter->place == REEVE_PARAMETER_BODY
         && strchr ("inbljm", parameter->type) != NULL;
}

static gboolean
reeve_cli_params_set (JsonObject *params, const ReeveParameter *parameter, const char *text,
                      GError **error)
{
  JsonNode *node = NULL;
  JsonArray *before
      = parameter->type == 'l' ? reeve_json_get_array (params, parameter->name) : NULL;

  if (before != NULL && *text != '[')
    {
      reeve_cli_params_add_words (before, text);
      return TRUE;
    }
  if (json_object_has_member (params, parameter->name))
    return reeve_cli_params_fail (error, parameter->name, "is given twice");
  if (reeve_cli_params_is_null (parameter, text))
    {
      json_object_set_null_member (params, parameter->name);
      return TRUE;
    }
  switch (parameter->type)
    {
    case 'i':
    case 'n':
      node = reeve_cli_params_read_number (parameter->name, text, parameter->type == 'i', error);
      break;
    case 'b':
      node = reeve_cli_params_read_boolean (parameter->name, text, error);
      break;
    case 'l':
      node = *text == '[' ? reeve_cli_params_read_json (parameter->name, text, error)
                          : reeve_cli_params_read_list (text);
      break;
    case 'j':
      node = reeve_cli_params_read_json (parameter->name, text, error);
      break;
    case 'm':
      node = reeve_cli_params_read_money (parameter->name, text, error);
      break;
    case 'f':
      node = reeve_cli_params_read_secret (parameter->name, text, error);
      break;
    default:
      node = json_node_init_string (json_node_alloc (), text);
      break;
    }
  if (node != NULL)
    json_object_set_member (params, parameter->name, node);
  return node != NULL;
}

static gboolean
reeve_cli_params_take_options (ReeveCliOptions *options, const ReeveCliCommand *command,
                               const char *const *own, JsonObject *params, GError **error)
{
  for (guint i = 0; i < options->names->len; i++)
    {
      const char *name = g_ptr_array_index (options->names, i);
      const char *value = g_ptr_array_index (options->values, i);
      const ReeveParameter *parameter = reeve_cli_params_find (command, name);

      if (own != NULL && g_strv_contains (own, name))
        continue;
      if (reeve_cli_grants_is_param (command, name))
        {
          if (!reeve_cli_grants_add_param (params, value != NULL ? value : "", error))
            return FALSE;
          continue;
        }
      if (parameter == NULL)
        return reeve_cli_params_fail (error, name, "is no option of this command");
      if (!reeve_cli_params_set (params, parameter, value != NULL ? value : "", error))
        return FALSE;
    }
  return TRUE;
}

/* A first argument ORG that is no member of the operation is the tenant to act in. It may be left
 * out for one's own. */
static gboolean
reeve_cli_params_take_tenant (ReeveCliOptions *options, const ReeveCliCommand *command,
                              guint *first, const char *const **arguments, GError **error)
{
  guint n = g_strv_length ((char **) command->arguments);
  guint given = options->words->len > *first ? options->words->len - *first : 0;

  if (g_strcmp0 (command->arguments[0], "tenant_id") != 0
      || reeve_cli_params_find (command, "tenant_id") != NULL)
    return TRUE;
  (*arguments)++;
  if (given < n)
    return TRUE;
  if (options->tenant != NULL)
    return reeve_cli_params_fail (error, "tenant", "is given twice");
  options->tenant = g_strdup (reeve_cli_options_get_word (options, *first));
  (*first)++;
  return TRUE;
}

static void
reeve_cli_params_generate (const ReeveCliCommand *command, JsonObject *params)
{
  g_autofree char *id = NULL;

  if (command->generate == NULL || json_object_has_member (params, command->generate))
    return;
  id = g_strdelimit (reeve_ids_new ("org"), "_", '-');
  json_object_set_string_member (params, command->generate, id);
}

static gboolean
reeve_cli_params_take_words (ReeveCliOptions *options, const ReeveCliCommand *command, guint first,
                             JsonObject *params, GError **error)
{
  const char *const *arguments = command->arguments;
  guint n = 0;

  if (!reeve_cli_params_take_tenant (options, command, &first, &arguments, error))
    return FALSE;
  n = g_strv_length ((char **) arguments);
  for (guint i = first; i < options->words->len; i++)
    {
      const ReeveParameter *parameter = NULL;

      if (i - first >= n)
        return reeve_cli_params_fail (error, reeve_cli_options_get_word (options, i),
                                      "is one argument too many");
      parameter = reeve_cli_params_find (command, arguments[i - first]);
      if (parameter != NULL
          && !reeve_cli_params_set (params, parameter, reeve_cli_options_get_word (options, i),
                                    error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_cli_params_check (const ReeveCliCommand *command, JsonObject *params, GError **error)
{
  for (const ReeveParameter *parameter = command->parameters; parameter->name != NULL; parameter++)
    {
      if (parameter->required && !json_object_has_member (params, parameter->name))
        return reeve_cli_params_fail (error, parameter->name, "is missing");
    }
  return TRUE;
}

/**
 * reeve_cli_params_new:
 * @options: the command line
 * @command: what it asks for
 * @first: position of the first argument among the words
 * @own: (nullable): options that are not the operation's
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the operation's members
 */
JsonObject *
reeve_cli_params_new (ReeveCliOptions *options, const ReeveCliCommand *command, guint first,
                      const char *const *own, GError **error)
{
  g_autoptr (JsonObject) params = json_object_new ();

  if (!reeve_cli_params_take_words (options, command, first, params, error)
      || !reeve_cli_params_take_options (options, command, own, params, error))
    return NULL;
  reeve_cli_grants_take_tenant (options, command, params);
  reeve_cli_params_generate (command, params);
  if (!reeve_cli_params_check (command, params, error))
    return NULL;
  return g_steal_pointer (&params);
}
