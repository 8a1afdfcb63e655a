/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was requested, granted and left by the ceiling, side by side, and what comes of it. */
#include "grants-private.h"

#include <string.h>

#include "base/times.h"

#include "directory.h"

/* one capability of one plugin */
typedef struct
{
  ReeveGrants *grants;
  const ReeveRegistryEntry *entry;
  const char *capability;
  const ReeveGrantCatalogueRow *row; /* (nullable) */
  GPtrArray *records;                /* of the plugin, oldest first */
} ReeveGrantsRow;

static gboolean
reeve_grants_show_is_about (const ReeveGrantsRow *self, ReeveRecord *record)
{
  return g_strcmp0 (reeve_json_get_string (reeve_record_get_fields (record), "capability", NULL),
                    self->capability)
         == 0;
}

static const char *
reeve_grants_show_get_reason (const ReeveGrantsRow *self)
{
  return self->entry->manifest != NULL
             ? reeve_manifest_get_reason (self->entry->manifest, self->capability)
             : NULL;
}

/* ---- what comes of it ---- */

/* (nullable) what both have of a model's pattern of either: the narrower one; of one without its
 * provider nobody knows before it is called */
static const char *
reeve_grants_show_meet_model (const char *granted, const char *allowed)
{
  if (strchr (granted, '/') == NULL || reeve_capability_terms_covers_model (allowed, granted))
    return granted;
  return reeve_capability_terms_covers_model (granted, allowed) ? allowed : NULL;
}

static JsonArray *
reeve_grants_show_meet_models (JsonArray *granted, char **allowed)
{
  JsonArray *both = json_array_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < json_array_get_length (granted); i++)
    for (guint j = 0; allowed[j] != NULL; j++)
      {
        const char *one
            = reeve_grants_show_meet_model (json_array_get_string_element (granted, i), allowed[j]);

        if (one != NULL && g_hash_table_add (seen, (gpointer) one))
          json_array_add_string_element (both, one);
      }
  return both;
}

static JsonArray *
reeve_grants_show_meet_list (const char *name, JsonArray *granted, char **allowed)
{
  JsonArray *both = NULL;

  if (strcmp (name, "models") == 0)
    return reeve_grants_show_meet_models (granted, allowed);
  both = json_array_new ();
  for (guint i = 0; i < json_array_get_length (granted); i++)
    if (reeve_capability_terms_has ((const char *const *) allowed,
                                    json_array_get_string_element (granted, i)))
      json_array_add_string_element (both, json_array_get_string_element (granted, i));
  return both;
}

/* The narrower of the two: of lists what stands in both, of numbers the smaller. */
static void
reeve_grants_show_meet (JsonObject *parameters, JsonObject *ceiling)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *limit = NULL;

  json_object_iter_init (&iter, ceiling);
  while (json_object_iter_next (&iter, &name, &limit))
    {
      JsonArray *list = reeve_json_get_array (parameters, name);
      g_auto (GStrv) allowed
          = JSON_NODE_HOLDS_ARRAY (limit) ? reeve_directory_get_strings (ceiling, name) : NULL;
      g_autoptr (JsonArray) both
          = list != NULL ? reeve_grants_show_meet_list (name, list, allowed) : NULL;

      /* of these a grant names one, or has no effect */
      if (strcmp (name, "folders") == 0)
        continue;
      /* a grant that does not say is for one */
      if (strcmp (name, "depth") == 0 && !json_object_has_member (parameters, name))
        json_object_set_int_member (parameters, name, 1);
      if (both != NULL)
        json_object_set_array_member (parameters, name, g_steal_pointer (&both));
      else if (!json_object_has_member (parameters, name)
               || (allowed == NULL
                   && reeve_json_get_int (parameters, name, 0) > json_node_get_int (limit)))
        json_object_set_member (parameters, name, json_node_copy (limit));
    }
}

static JsonObject *
reeve_grants_show_effective (const ReeveGrantsRow *self, JsonObject *granted, JsonObject *ceiling)
{
  static const char *const members[] = { "tenant_id", "source", "until" };
  JsonObject *shown = json_object_new ();
  JsonObject *parameters
      = reeve_directory_dup (json_object_get_object_member (granted, "parameters"));

  reeve_grants_show_meet (parameters, json_object_get_object_member (ceiling, "parameters"));
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    json_object_set_member (shown, members[i],
                            json_node_copy (json_object_get_member (granted, members[i])));
  json_object_set_object_member (shown, "parameters", parameters);
  return shown;
}

/* Of what nobody grants: every plugin has it, or the host's own. */
static JsonObject *
reeve_grants_show_given (const char *source)
{
  JsonObject *shown = json_object_new ();

  json_object_set_null_member (shown, "tenant_id");
  json_object_set_string_member (shown, "source", source);
  json_object_set_null_member (shown, "until");
  json_object_set_object_member (shown, "parameters", json_object_new ());
  return shown;
}

static const char *
reeve_grants_show_judge (const ReeveGrantsRow *self, JsonArray *granted, JsonArray *effective,
                         gboolean allowed)
{
  guint n = json_array_get_length (granted);
  const char *last
      = n > 0 ? reeve_json_get_string (json_array_get_object_element (granted, n - 1), "status", "")
              : NULL;

  if (reeve_grants_show_get_reason (self) == NULL)
    return "not_requested";
  if (self->row != NULL && self->row->kind != REEVE_GRANT_ASKED)
    return json_array_get_length (effective) > 0 ? "effective" : "host_only";
  if (!allowed)
    return "beyond_ceiling";
  if (json_array_get_length (effective) > 0)
    return "effective";
  return last == NULL ? "waiting" : strcmp (last, "revoked") == 0 ? "revoked" : "ended";
}

/* ---- one row ---- */

static void
reeve_grants_show_set_text (JsonObject *shown, const char *member, const char *text)
{
  if (text != NULL)
    json_object_set_string_member (shown, member, text);
  else
    json_object_set_null_member (shown, member);
}

/* The command that makes it effective. */
static void
reeve_grants_show_set_remedy (const ReeveGrantsRow *self, JsonObject *shown, const char *state)
{
  static const char *const open[] = { "waiting", "revoked", "ended", NULL };
  g_autofree char *remedy = NULL;

  if (g_strv_contains (open, state))
    remedy = g_strdup_printf ("reevectl plugins grant %s %s --reason WHY", self->entry->id,
                              self->capability);
  reeve_grants_show_set_text (shown, "remedy", remedy);
}

static JsonObject *
reeve_grants_show_row (const ReeveGrantsRow *self)
{
  JsonObject *shown = json_object_new ();
  JsonArray *granted = json_array_new ();
  JsonArray *effective = json_array_new ();
  JsonObject *ceiling = reeve_grants_ceiling_show (self->grants->ceiling, self->capability);
  gboolean asked = self->row == NULL || self->row->kind == REEVE_GRANT_ASKED;
  gboolean allowed = !asked || json_object_get_boolean_member (ceiling, "allowed");
  gboolean requested = reeve_grants_show_get_reason (self) != NULL;
  const char *state = NULL;

  for (guint i = 0; i < self->records->len; i++)
    {
      JsonObject *one = NULL;

      if (!reeve_grants_show_is_about (self, self->records->pdata[i]))
        continue;
      one = reeve_grants_show_record (self->records->pdata[i]);
      if (requested && allowed
          && strcmp (json_object_get_string_member (one, "status"), "active") == 0)
        json_array_add_object_element (effective, reeve_grants_show_effective (self, one, ceiling));
      json_array_add_object_element (granted, one);
    }
  if (self->row != NULL && requested
      && (self->row->kind == REEVE_GRANT_ALWAYS
          || (self->row->kind == REEVE_GRANT_HOST
              && reeve_grants_is_hosts_own (self->grants, self->entry->id))))
    json_array_add_object_element (effective,
                                   reeve_grants_show_given (REEVE_GRANTS_SOURCE_DEFAULT));
  state = reeve_grants_show_judge (self, granted, effective, allowed);
  json_object_set_string_member (shown, "capability", self->capability);
  json_object_set_string_member (shown, "state", state);
  json_object_set_boolean_member (shown, "requested", requested);
  reeve_grants_show_set_text (shown, "reason", reeve_grants_show_get_reason (self));
  reeve_grants_show_set_text (shown, "meaning", self->row != NULL ? self->row->meaning : NULL);
  reeve_grants_show_set_text (shown, "risk", self->row != NULL ? self->row->risk : NULL);
  json_object_set_array_member (shown, "granted", granted);
  json_object_set_object_member (shown, "ceiling", ceiling);
  json_object_set_array_member (shown, "effective", effective);
  reeve_grants_show_set_remedy (self, shown, state);
  return shown;
}

/* ---- all of a plugin ---- */

/* (transfer full) what it requests, then what else it was granted */
static GPtrArray *
reeve_grants_show_list (const ReeveRegistryEntry *entry, GPtrArray *records)
{
  const char *const *names
      = entry->manifest != NULL ? reeve_manifest_get_capabilities (entry->manifest) : NULL;
  GPtrArray *all = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    g_ptr_array_add (all, g_strdup (names[i]));
  for (guint i = 0; i < records->len; i++)
    {
      const char *name
          = reeve_json_get_string (reeve_record_get_fields (records->pdata[i]), "capability", "");

      if (!g_ptr_array_find_with_equal_func (all, name, g_str_equal, NULL))
        g_ptr_array_add (all, g_strdup (name));
    }
  return all;
}

/**
 * reeve_grants_show:
 * @self: grants
 * @plugin_id: of a plugin
 * @error: return location
 *
 * Of a plugin that is not there any more, what it was granted: that holds again when it comes back.
 *
 * Returns: (transfer full): an object for each capability that it requests or was granted; %NULL
 * with %REEVE_ERROR_NOT_FOUND
 */
JsonArray *
reeve_grants_show (ReeveGrants *self, const char *plugin_id, GError **error)
{
  g_autoptr (ReeveRegistryEntry) entry = reeve_registry_get (self->registry, plugin_id);
  g_autoptr (GPtrArray) records = NULL;
  g_autoptr (GPtrArray) names = NULL;
  JsonArray *shown = NULL;

  records = reeve_directory_read_all (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_GRANTS,
                                      "plugin_id", plugin_id, error);
  if (records == NULL)
    return NULL;
  if (entry == NULL && records->len == 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING, "plugins");
      return NULL;
    }
  if (entry == NULL)
    {
      entry = g_new0 (ReeveRegistryEntry, 1);
      entry->id = g_strdup (plugin_id);
    }
  names = reeve_grants_show_list (entry, records);
  shown = json_array_new ();
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      const ReeveGrantsRow row = { self, entry, name, reeve_grant_catalogue_find (name), records };

      json_array_add_object_element (shown, reeve_grants_show_row (&row));
    }
  return shown;
}
