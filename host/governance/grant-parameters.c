/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operation's schema has looked at types and lengths; here is what depends on the capability.
 */
#include "grant-parameters.h"

#include <reeve-error.h>
#include <string.h>

#include "loader/manifest-limits.h"

#include "directory.h"

/* A name's letters and parts, as those who send requests take them: what they would refuse, or read
 * in another way, is granted to nobody. An address that is no name is theirs to judge. */
static gboolean
reeve_grant_parameters_is_host (const char *host)
{
  if (strchr (host, ':') != NULL)
    return g_hostname_is_ip_address (host) && strchr (host, '%') == NULL;
  for (const char *p = host; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("-_.", *p) == NULL)
      return FALSE;
  return *host != '\0' && *host != '.' && strstr (host, "..") == NULL;
}

/* Letters that an address never has, and escapes, which hide what it is. */
static gboolean
reeve_grant_parameters_is_plain (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (*p <= 0x20 || *p >= 0x7f || *p == '\\' || *p == '%')
      return FALSE;
  return TRUE;
}

/* (transfer full) (nullable): in lower case, without the dot that ends a name */
static char *
reeve_grant_parameters_dup_host (const char *host)
{
  g_autofree char *lower = g_ascii_strdown (host, -1);
  gsize length = strlen (lower);

  if (length > 1 && lower[length - 1] == '.')
    lower[length - 1] = '\0';
  return reeve_grant_parameters_is_host (lower) ? g_steal_pointer (&lower) : NULL;
}

/**
 * reeve_grant_parameters_normalise_origin:
 * @text: an address that is an origin and no more: `https://host` or `https://host:port`
 *
 * Returns: (transfer full) (nullable): it as requests are compared with it; %NULL for what is none
 */
char *
reeve_grant_parameters_normalise_origin (const char *text)
{
  g_autoptr (GUri) uri = reeve_grant_parameters_is_plain (text)
                             ? g_uri_parse (text, G_URI_FLAGS_ENCODED, NULL)
                             : NULL;
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  gboolean https = g_ascii_strcasecmp (scheme, "https") == 0;
  const char *path = uri != NULL ? g_uri_get_path (uri) : "";
  g_autofree char *host = NULL;
  gint port = 0;

  if ((!https && g_ascii_strcasecmp (scheme, "http") != 0) || g_uri_get_host (uri) == NULL
      || g_uri_get_userinfo (uri) != NULL || g_uri_get_query (uri) != NULL
      || g_uri_get_fragment (uri) != NULL || (*path != '\0' && strcmp (path, "/") != 0))
    return NULL;
  host = reeve_grant_parameters_dup_host (g_uri_get_host (uri));
  port = g_uri_get_port (uri);
  if (host == NULL || port == 0)
    return NULL;
  return g_strdup_printf (strchr (host, ':') != NULL ? "%s://[%s]:%d" : "%s://%s:%d",
                          https ? "https" : "http", host,
                          port > 0 ? port
                          : https  ? 443
                                   : 80);
}

/* (transfer full) (nullable) host:port in lower case */
static char *
reeve_grant_parameters_normalise_host (const char *text)
{
  const char *colon = strrchr (text, ':');
  guint64 port = 0;

  if (colon == NULL || colon == text || strpbrk (text, "*/@ ") != NULL
      || !g_ascii_string_to_unsigned (colon + 1, 10, 1, G_MAXUINT16, &port, NULL))
    return NULL;
  return g_ascii_strdown (text, -1);
}

static gboolean
reeve_grant_parameters_is_folder (const char *path)
{
  g_autofree char *canonical = g_canonicalize_filename (path, "/");

  return g_path_is_absolute (path) && strcmp (path, canonical) == 0;
}

/* (transfer full) (nullable) one element as it is kept */
static char *
reeve_grant_parameters_normalise (const char *name, const char *text)
{
  if (strcmp (name, "origins") == 0)
    return reeve_grant_parameters_normalise_origin (text);
  if (strcmp (name, "hosts") == 0)
    return reeve_grant_parameters_normalise_host (text);
  if (strcmp (name, "folders") == 0 && !reeve_grant_parameters_is_folder (text))
    return NULL;
  return g_strdup (text);
}

static gboolean
reeve_grant_parameters_copy_list (const char *name, JsonArray *list, JsonObject *copy,
                                  GError **error)
{
  g_autoptr (JsonArray) made = json_array_new ();

  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      g_autofree char *one
          = reeve_grant_parameters_normalise (name, json_array_get_string_element (list, i));
      g_autofree char *pointer = g_strdup_printf ("/parameters/%s/%u", name, i);

      if (one == NULL)
        {
          reeve_error_set_member (error, pointer, "is no %s",
                                  strcmp (name, "folders") == 0 ? "absolute path without . and .."
                                  : strcmp (name, "hosts") == 0
                                      ? "HOST:PORT"
                                      : "origin: scheme, host and port, such as "
                                        "https://api.example.com or http://10.0.0.7:8080");
          return FALSE;
        }
      json_array_add_string_element (made, one);
    }
  json_object_set_array_member (copy, name, g_steal_pointer (&made));
  return TRUE;
}

/**
 * reeve_grant_parameters_check:
 * @row: the capability
 * @given: (nullable): what the administrator said of it
 * @error: return location
 *
 * Returns: (transfer full): what is kept; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
JsonObject *
reeve_grant_parameters_check (const ReeveGrantCatalogueRow *row, JsonObject *given, GError **error)
{
  g_autoptr (JsonObject) copy = json_object_new ();
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  if (given == NULL)
    return g_steal_pointer (&copy);
  json_object_iter_init (&iter, given);
  while (json_object_iter_next (&iter, &name, &value))
    {
      g_autofree char *pointer = g_strconcat ("/parameters/", name, NULL);

      if (!reeve_grant_catalogue_takes (row, name))
        {
          reeve_error_set_member (error, pointer, "is nothing that a grant of %s says%s%s",
                                  row->name, *row->parameters != '\0' ? "; it may say:" : "",
                                  row->parameters);
          return NULL;
        }
      if (strcmp (name, "folder") == 0
          && !reeve_grant_parameters_is_folder (json_node_get_string (value)))
        {
          reeve_error_set_member (error, pointer,
                                  "is no absolute path without . and .., and without / at its end");
          return NULL;
        }
      if (strcmp (name, "amount") == 0
          && json_node_get_int (value) < (gint64) reeve_manifest_limits_get_least (row->name))
        {
          reeve_error_set_member (error, pointer, "is less than any plugin can run with, %u",
                                  reeve_manifest_limits_get_least (row->name));
          return NULL;
        }
      if (!JSON_NODE_HOLDS_ARRAY (value))
        json_object_set_member (copy, name, json_node_copy (value));
      else if (!reeve_grant_parameters_copy_list (name, json_node_get_array (value), copy, error))
        return NULL;
    }
  return g_steal_pointer (&copy);
}

static char **
reeve_grant_parameters_get_list (JsonObject *parameters, const char *name)
{
  return parameters != NULL && json_object_has_member (parameters, name)
             ? reeve_directory_get_strings (parameters, name)
             : NULL;
}

/**
 * reeve_grant_parameters_to_terms:
 * @grant_id: (nullable): of the grant
 * @parameters: (nullable): what it says
 * @until: its end in µs since the epoch, 0 for none
 *
 * Returns: (transfer full): the same for providers of capabilities
 */
ReeveCapabilityTerms *
reeve_grant_parameters_to_terms (const char *grant_id, JsonObject *parameters, gint64 until)
{
  ReeveCapabilityTerms *terms = reeve_capability_terms_new ();

  terms->grant_id = g_strdup (grant_id);
  terms->until = until;
  terms->origins = reeve_grant_parameters_get_list (parameters, "origins");
  terms->methods = reeve_grant_parameters_get_list (parameters, "methods");
  terms->hosts = reeve_grant_parameters_get_list (parameters, "hosts");
  terms->folders = reeve_grant_parameters_get_list (parameters, "folders");
  terms->claims = reeve_grant_parameters_get_list (parameters, "claims");
  terms->slots = reeve_grant_parameters_get_list (parameters, "slots");
  terms->models = reeve_grant_parameters_get_list (parameters, "models");
  terms->tools = reeve_grant_parameters_get_list (parameters, "tools");
  if (parameters != NULL)
    {
      terms->tokens = reeve_json_get_int (parameters, "tokens", 0);
      terms->depth = reeve_json_get_int (parameters, "depth", 0);
      terms->max_per_second = reeve_json_get_int (parameters, "max_per_second", 0);
      terms->max_per_minute = reeve_json_get_int (parameters, "max_per_minute", 0);
      terms->max_connections = reeve_json_get_int (parameters, "max_connections", 0);
      terms->max_bytes = reeve_json_get_int (parameters, "max_bytes", 0);
      terms->folder = g_strdup (reeve_json_get_string (parameters, "folder", NULL));
      terms->glob = g_strdup (reeve_json_get_string (parameters, "glob", NULL));
      terms->folder_bytes = reeve_json_get_int (parameters, "folder_bytes", 0);
      terms->folder_files = reeve_json_get_int (parameters, "folder_files", 0);
      terms->file_bytes = reeve_json_get_int (parameters, "file_bytes", 0);
      terms->store_bytes = reeve_json_get_int (parameters, "store_bytes", 0);
      terms->amount = reeve_json_get_int (parameters, "amount", 0);
      terms->memory = reeve_json_get_int (parameters, "memory", 0);
      terms->threads = reeve_json_get_int (parameters, "threads", 0);
      terms->cpu = reeve_json_get_int (parameters, "cpu", 0);
      terms->scratch = reeve_json_get_int (parameters, "scratch", 0);
    }
  return terms;
}
