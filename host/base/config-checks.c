/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with a configuration that is laid together, told with the file, line and key that a
 * person has to look at: by the schema, and by what a schema does not say. */
#include "config-checks.h"

#include "config-layers.h"
#include "config-listen.h"

#include <string.h>

/* ---- faults ---- */

/* the origin of a value, or of what it stands in */
static const ReeveConfigOrigin *
reeve_config_checks_find_origin (GHashTable *origins, const char *pointer)
{
  g_autofree char *at = g_strdup (pointer);

  for (;;)
    {
      const ReeveConfigOrigin *origin = g_hash_table_lookup (origins, at);
      char *slash = strrchr (at, '/');
      if (origin != NULL || slash == NULL)
        return origin;
      *slash = '\0';
    }
}

/**
 * reeve_config_checks_locate:
 * @origins: where each value is from
 * @pointer: JSON pointer of a value
 *
 * Returns: (transfer full): where the value, or what it stands in, came from, and its key
 */
char *
reeve_config_checks_locate (GHashTable *origins, const char *pointer)
{
  const ReeveConfigOrigin *origin = reeve_config_checks_find_origin (origins, pointer);
  g_autofree char *key = reeve_config_values_key (pointer);

  return g_strdup_printf ("%s%s%s", origin != NULL ? origin->text : "default",
                          *key != '\0' ? ": " : "", key);
}

/**
 * reeve_config_checks_describe:
 * @origins: where each value is from
 * @pointer: JSON pointer of a value
 * @message: what is wrong with it
 *
 * Returns: (transfer full): where the value, or what it stands in, came from, its key, the message
 */
char *
reeve_config_checks_describe (GHashTable *origins, const char *pointer, const char *message)
{
  g_autofree char *place = reeve_config_checks_locate (origins, pointer);

  return g_strdup_printf ("%s: %s", place, message);
}

static gboolean
reeve_config_checks_fault (GHashTable *origins, const char *pointer, const char *message,
                           GError **error)
{
  g_autofree char *text = reeve_config_checks_describe (origins, pointer, message);

  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, text);
  return FALSE;
}

static int
reeve_config_checks_compare_lines (gconstpointer a, gconstpointer b)
{
  return strverscmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * reeve_config_checks_validate:
 * @root: the layers in one object
 * @origins: where each value is from
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION: a line for each fault
 */
gboolean
reeve_config_checks_validate (JsonNode *root, GHashTable *origins, GError **error)
{
  g_autoptr (ReeveSchema) schema = reeve_schema_new_from_static (reeve_config_schema);
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) local = NULL;

  if (reeve_schema_validate (schema, root, &faults, &local))
    return TRUE;
  if (faults == NULL || faults->len == 0)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < faults->len; i++)
    {
      const ReeveSchemaFault *fault = faults->pdata[i];
      g_ptr_array_add (lines,
                       reeve_config_checks_describe (origins, fault->pointer, fault->message));
    }
  /* as one reads the file: line 9 before line 10 */
  g_ptr_array_sort (lines, reeve_config_checks_compare_lines);
  g_ptr_array_add (lines, NULL);
  g_autofree char *text = g_strjoinv ("\n", (char **) lines->pdata);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, text);
  return FALSE;
}

/* ---- what a schema does not say ---- */

static gboolean
reeve_config_checks_ids (JsonObject *root, GHashTable *origins, const char *section,
                         const char *member, GError **error)
{
  JsonArray *list = reeve_json_get_array (reeve_json_get_object (root, section), member);
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      const char *id = reeve_json_get_string (json_array_get_object_element (list, i), "id", "");
      g_autofree char *pointer = g_strdup_printf ("/%s/%s/%u/id", section, member, i);
      if (!g_hash_table_add (known, (gpointer) id))
        return reeve_config_checks_fault (origins, pointer, "stands in this list twice", error);
    }
  return TRUE;
}

static gboolean
reeve_config_checks_has_tls (JsonObject *root)
{
  return reeve_json_get_string (reeve_json_get_object (root, "tls"), "certificate", NULL) != NULL;
}

/* Why an address cannot be listened on; NULL: it can. */
static const char *
reeve_config_checks_judge_address (JsonObject *server, const ReeveConfigListen *listen,
                                   gboolean tls)
{
  const char *port = strrchr (listen->address, ':');

  if (port == NULL || g_ascii_strtoull (port + 1, NULL, 10) > 65535)
    return "the port must be 0 to 65535";
  if (listen->wants_tls && !tls)
    return "https needs tls.certificate and tls.key";
  if (!listen->encrypted && !listen->loopback
      && !reeve_json_get_boolean (server, "allow_cleartext", FALSE))
    return "others than this machine would reach it without encryption: set tls.certificate and "
           "tls.key, or server.allow_cleartext where something in front of it encrypts";
  return NULL;
}

static gboolean
reeve_config_checks_listen (JsonObject *root, GHashTable *origins, GError **error)
{
  JsonObject *server = reeve_json_get_object (root, "server");
  JsonArray *list = reeve_json_get_array (server, "listen");
  gboolean tls = reeve_config_checks_has_tls (root);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      const ReeveConfigListen listen
          = reeve_config_listen_read (json_array_get_string_element (list, i), tls);
      const char *fault = reeve_config_checks_judge_address (server, &listen, tls);
      g_autofree char *pointer = g_strdup_printf ("/server/listen/%u", i);

      if (fault != NULL)
        return reeve_config_checks_fault (origins, pointer, fault, error);
    }
  return TRUE;
}

/* A browser would refuse the two together; a person who writes them should know at once. */
static gboolean
reeve_config_checks_cors (JsonObject *root, GHashTable *origins, GError **error)
{
  JsonObject *cors = reeve_json_get_object (reeve_json_get_object (root, "server"), "cors");
  JsonArray *list = reeve_json_get_array (cors, "origins");

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    if (strcmp (json_array_get_string_element (list, i), "*") == 0
        && reeve_json_get_boolean (cors, "credentials", FALSE))
      return reeve_config_checks_fault (origins, "/server/cors/credentials",
                                        "credentials go to named origins only, not to \"*\"",
                                        error);
  return TRUE;
}

/* Names that other products switch records off by: here nothing is done or read without one. */
static gboolean
reeve_config_checks_records (JsonObject *root, GHashTable *origins, GError **error)
{
  static const char *const names[] = { "audit_all_access", "log_phi_access" };
  JsonObject *audit = reeve_json_get_object (root, "audit");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *pointer = g_strconcat ("/audit/", names[i], NULL);

      if (!reeve_json_get_boolean (audit, names[i], TRUE))
        return reeve_config_checks_fault (
            origins, pointer,
            "each access is on record, and nothing is read without: that cannot be switched off",
            error);
    }
  return TRUE;
}

/**
 * reeve_config_checks_run:
 * @node: a valid configuration with its defaults
 * @origins: where each value is from
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION: the first fault that a schema cannot tell
 */
gboolean
reeve_config_checks_run (JsonNode *node, GHashTable *origins, GError **error)
{
  JsonObject *root = json_node_get_object (node);
  JsonObject *knowledge = reeve_json_get_object (root, "knowledge");
  JsonObject *tls = reeve_json_get_object (root, "tls");

  if (!reeve_config_checks_ids (root, origins, "authentication", "providers", error)
      || !reeve_config_checks_ids (root, origins, "llm", "providers", error)
      || !reeve_config_checks_ids (root, origins, "notifications", "channels", error)
      || !reeve_config_checks_listen (root, origins, error)
      || !reeve_config_checks_cors (root, origins, error)
      || !reeve_config_checks_records (root, origins, error))
    return FALSE;
  if (reeve_json_get_int (knowledge, "chunk_overlap_tokens", 0)
      >= reeve_json_get_int (knowledge, "chunk_size_tokens", 1))
    return reeve_config_checks_fault (origins, "/knowledge/chunk_overlap_tokens",
                                      "must be less than chunk_size_tokens", error);
  if ((reeve_json_get_string (tls, "certificate", NULL) == NULL)
      != (reeve_json_get_string (tls, "key", NULL) == NULL))
    return reeve_config_checks_fault (origins, "/tls", "certificate and key belong together",
                                      error);
  if (reeve_json_get_string (tls, "client_ca", NULL) != NULL
      && reeve_json_get_string (tls, "certificate", NULL) == NULL)
    return reeve_config_checks_fault (
        origins, "/tls/client_ca", "clients show certificates only where the host has one", error);
  return TRUE;
}

/* ---- warnings ---- */

static int
reeve_config_checks_compare_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static gboolean
reeve_config_checks_is_planned (const char *pointer)
{
  g_auto (GStrv) parts = g_strsplit (*pointer == '/' ? pointer + 1 : pointer, "/", -1);
  const ReeveSchemaNode *schema = reeve_config_schema;

  for (guint i = 0; schema != NULL && parts[i] != NULL; i++)
    {
      /* what is inside was told of already */
      if (schema->planned)
        return FALSE;
      schema = reeve_config_values_member_schema (schema, parts[i]);
    }
  return schema != NULL && schema->planned;
}

static void
reeve_config_checks_warn_of_cleartext (JsonObject *root, GHashTable *origins, GPtrArray *lines)
{
  JsonArray *list = reeve_json_get_array (reeve_json_get_object (root, "server"), "listen");

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      const ReeveConfigListen listen = reeve_config_listen_read (
          json_array_get_string_element (list, i), reeve_config_checks_has_tls (root));
      g_autofree char *pointer = g_strdup_printf ("/server/listen/%u", i);

      if (!listen.encrypted && !listen.loopback)
        g_ptr_array_add (lines, reeve_config_checks_describe (
                                    origins, pointer,
                                    "others than this machine reach it without encryption: keys "
                                    "and answers can be read on their way"));
    }
}

/**
 * reeve_config_checks_collect_warnings:
 * @root: a configuration without faults
 * @origins: where each value is from
 *
 * Returns: (transfer full): a line for each thing that people should know, in order
 */
char **
reeve_config_checks_collect_warnings (JsonObject *root, GHashTable *origins)
{
  GPtrArray *lines = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer pointer = NULL, origin = NULL;

  g_hash_table_iter_init (&iter, origins);
  while (g_hash_table_iter_next (&iter, &pointer, &origin))
    if (((ReeveConfigOrigin *) origin)->chosen && reeve_config_checks_is_planned (pointer))
      g_ptr_array_add (lines, reeve_config_checks_describe (
                                  origins, pointer, "has no effect yet: its feature is not built"));
  reeve_config_checks_warn_of_cleartext (root, origins, lines);
  g_ptr_array_sort (lines, reeve_config_checks_compare_text);
  g_ptr_array_add (lines, NULL);
  return (char **) g_ptr_array_free (lines, FALSE);
}
