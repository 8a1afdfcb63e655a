/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first migration of a scope is never taken back: it made everything, so it would take
 * everything. */
#include "schema-command.h"

#include <stdio.h>
#include <string.h>

#include "base/times.h"
#include "store/schema.h"

static guint
reeve_schema_command_newest (const char *scope)
{
  const ReeveMigration *migrations = strcmp (scope, REEVE_SCOPE_PLATFORM) == 0
                                         ? reeve_schema_get_platform ()
                                         : reeve_schema_get_tenant ();
  guint newest = 0;

  for (guint i = 0; migrations[i].number != 0; i++)
    newest = migrations[i].number;
  return newest;
}

static gboolean
reeve_schema_command_migrate (ReeveStorage *storage, const char *scope, gboolean down,
                              GError **error)
{
  guint number = 0;

  if (!reeve_storage_schema_number (storage, scope, &number, error))
    return FALSE;
  if (!down)
    return reeve_storage_migrate (storage, scope, reeve_schema_command_newest (scope), error);
  if (number > 1)
    return reeve_storage_migrate (storage, scope, number - 1, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "it is at migration %u: the first one cannot be taken back, it holds everything",
               number);
  return FALSE;
}

static JsonArray *
reeve_schema_command_describe (GPtrArray *history)
{
  JsonArray *entries = json_array_new ();

  for (guint i = 0; i < history->len; i++)
    {
      JsonObject *from = g_ptr_array_index (history, i);
      JsonObject *entry = json_object_new ();
      g_autofree char *at = reeve_times_format (reeve_json_get_int (from, "applied_at", 0));

      json_object_set_int_member (entry, "number", reeve_json_get_int (from, "number", 0));
      json_object_set_string_member (entry, "summary", reeve_json_get_string (from, "summary", ""));
      json_object_set_string_member (entry, "direction",
                                     reeve_json_get_string (from, "direction", ""));
      json_object_set_string_member (entry, "applied_at", at);
      json_array_add_object_element (entries, entry);
    }
  return entries;
}

static gboolean
reeve_schema_command_print (ReeveStorage *storage, const char *scope, GError **error)
{
  g_autoptr (GPtrArray) history = NULL;
  g_autoptr (JsonObject) line = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  guint number = 0;

  if (!reeve_storage_schema_number (storage, scope, &number, error))
    return FALSE;
  history = reeve_storage_schema_history (storage, scope, error);
  if (history == NULL)
    return FALSE;
  json_object_set_string_member (line, "scope", scope);
  json_object_set_int_member (line, "number", number);
  json_object_set_int_member (line, "newest", reeve_schema_command_newest (scope));
  json_object_set_array_member (line, "history", reeve_schema_command_describe (history));
  json_node_set_object (node, line);
  text = reeve_json_text (node);
  printf ("%s\n", text);
  return TRUE;
}

static gboolean
reeve_schema_command_scope (ReeveStorage *storage, const char *scope, const char *word,
                            GError **error)
{
  gboolean migrates = strcmp (word, "history") != 0;

  if ((!migrates
       || reeve_schema_command_migrate (storage, scope, strcmp (word, "down") == 0, error))
      && reeve_schema_command_print (storage, scope, error))
    return TRUE;
  g_prefix_error (error, "schema of %s: ", scope);
  return FALSE;
}

/**
 * reeve_schema_command_run:
 * @store: an open store
 * @word: `history`, `up` or `down`
 * @error: return location
 *
 * Shows or moves the migrations of every scope, one transaction each, and prints a line for each.
 *
 * Returns: whether all were
 */
gboolean
reeve_schema_command_run (ReeveStore *store, const char *word, GError **error)
{
  ReeveStorage *storage = reeve_store_get_storage (store);
  g_auto (GStrv) scopes = NULL;

  if (strcmp (word, "history") != 0 && strcmp (word, "up") != 0 && strcmp (word, "down") != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "--schema %s: must be history, up or down", word);
      return FALSE;
    }
  scopes = reeve_store_list_scopes (store, error);
  if (scopes == NULL || !reeve_schema_command_scope (storage, REEVE_SCOPE_PLATFORM, word, error))
    return FALSE;
  for (guint i = 0; scopes[i] != NULL; i++)
    {
      if (!reeve_schema_command_scope (storage, scopes[i], word, error))
        return FALSE;
    }
  return TRUE;
}
