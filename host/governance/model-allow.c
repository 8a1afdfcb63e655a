/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stage of the gate asks, and no door does: so nobody who asks a model gets around it. */
#include "model-allow.h"

#include <string.h>

#include "loader/capability-terms.h"

#define REEVE_MODEL_ALLOW_OTHERS "*"
#define REEVE_MODEL_ALLOW_REASON "model_not_allowed"

struct _ReeveModelAllow
{
  GHashTable *tenants; /* tenant, or a star, to its patterns */
};

/* A misspelled provider would allow nothing, and nobody would know why. */
static gboolean
reeve_model_allow_check_pattern (const char *pattern, ReeveAdmissionKnown known, gpointer user_data,
                                 GError **error)
{
  const char *slash = strchr (pattern, '/');

  if (slash == NULL || slash[1] == '\0')
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                 "%s is neither provider/name nor provider/*", pattern);
  else if (known (pattern, user_data) == 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                 "names provider %.*s, which is not configured", (int) (slash - pattern), pattern);
  else
    return TRUE;
  return FALSE;
}

static gboolean
reeve_model_allow_read (ReeveModelAllow *self, JsonObject *row, ReeveAdmissionKnown known,
                        gpointer user_data, char **faulty, GError **error)
{
  const char *tenant = reeve_json_get_string (row, "tenant", "");
  JsonArray *models = reeve_json_get_array (row, "models");
  g_autoptr (GStrvBuilder) patterns = g_strv_builder_new ();

  if (g_hash_table_contains (self->tenants, tenant))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s is there already", tenant);
      *faulty = g_strdup ("tenant");
      return FALSE;
    }
  for (guint i = 0; models != NULL && i < json_array_get_length (models); i++)
    {
      const char *pattern = json_array_get_string_element (models, i);

      if (!reeve_model_allow_check_pattern (pattern, known, user_data, error))
        {
          *faulty = g_strdup_printf ("models.%u", i);
          return FALSE;
        }
      g_strv_builder_add (patterns, pattern);
    }
  g_hash_table_insert (self->tenants, g_strdup (tenant), g_strv_builder_end (patterns));
  return TRUE;
}

/**
 * reeve_model_allow_new:
 * @rows: (nullable): configuration section `llm.allow`
 * @known: says how many bytes of a model's name are known; none, where its provider is not
 * @user_data: for @known
 * @faulty: (out) (transfer full): path of what is wrong, below `llm`
 * @error: return location: %REEVE_ERROR_CONFIGURATION
 *
 * Returns: (transfer full): what tenants may ask; without rows, anything; %NULL with an error
 */
ReeveModelAllow *
reeve_model_allow_new (JsonArray *rows, ReeveAdmissionKnown known, gpointer user_data,
                       char **faulty, GError **error)
{
  g_autoptr (ReeveModelAllow) self = g_new0 (ReeveModelAllow, 1);

  self->tenants
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    {
      g_autofree char *member = NULL;

      if (reeve_model_allow_read (self, json_array_get_object_element (rows, i), known, user_data,
                                  &member, error))
        continue;
      *faulty = g_strdup_printf ("allow.%u.%s", i, member);
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
reeve_model_allow_free (ReeveModelAllow *self)
{
  g_hash_table_unref (self->tenants);
  g_free (self);
}

gboolean
reeve_model_allow_has (const ReeveModelAllow *self, const char *tenant_id, const char *model)
{
  const char *const *patterns = g_hash_table_lookup (self->tenants, tenant_id);
  gboolean has = FALSE;

  if (patterns == NULL)
    patterns = g_hash_table_lookup (self->tenants, REEVE_MODEL_ALLOW_OTHERS);
  for (guint i = 0; !has && patterns != NULL && patterns[i] != NULL; i++)
    has = reeve_capability_terms_covers_model (patterns[i], model);
  return has || patterns == NULL;
}

JsonArray *
reeve_model_allow_filter (const ReeveModelAllow *self, const char *tenant_id, JsonArray *models)
{
  JsonArray *some = json_array_new ();

  for (guint i = 0; i < json_array_get_length (models); i++)
    {
      JsonObject *model = json_array_get_object_element (models, i);

      if (reeve_model_allow_has (self, tenant_id, reeve_json_get_string (model, "id", "")))
        json_array_add_object_element (some, json_object_ref (model));
    }
  json_array_unref (models);
  return some;
}

/* a ReeveAdmissionCheck */
static gboolean
reeve_model_allow_check (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                         gpointer user_data, GError **error)
{
  if (strcmp (request->operation, "model.call") != 0 || request->model == NULL
      || reeve_model_allow_has (user_data, reeve_caller_get_tenant_id (request->caller),
                                request->model))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "this tenant may not ask %s (" REEVE_MODEL_ALLOW_REASON ")", request->model);
  return FALSE;
}

/**
 * reeve_model_allow_guard:
 * @self: what tenants may ask; lives as long as @admission takes requests
 * @admission: the gate
 *
 * From now on no call of a model gets past it.
 */
void
reeve_model_allow_guard (ReeveModelAllow *self, ReeveAdmission *admission)
{
  reeve_admission_add_named_check (admission, REEVE_STAGE_AUTHORISE, REEVE_MODEL_ALLOW_REASON,
                                   reeve_model_allow_check, self);
}

/**
 * reeve_model_allow_refused:
 * @error: of an admission
 *
 * Returns: whether it was refused since the tenant may not ask the model
 */
gboolean
reeve_model_allow_refused (const GError *error)
{
  return g_error_matches (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED)
         && g_str_has_suffix (error->message, "(" REEVE_MODEL_ALLOW_REASON ")");
}

/**
 * reeve_model_allow_dup_strangers:
 * @self: what tenants may ask
 * @tenants: those that there are
 *
 * A misspelled id is nobody's row, and whom it was meant for may ask any model. But a row may also
 * stand there before its tenant does, so it is no fault: it is said.
 *
 * Returns: (transfer full) (nullable): ids of rows that are no tenant's, joined by commas, by name;
 * %NULL where there are none
 */
char *
reeve_model_allow_dup_strangers (const ReeveModelAllow *self, ReeveTenants *tenants)
{
  g_autoptr (GList) ids
      = g_list_sort (g_hash_table_get_keys (self->tenants), (GCompareFunc) strcmp);
  g_autoptr (GString) text = g_string_new (NULL);

  for (GList *one = ids; one != NULL; one = one->next)
    if (strcmp (one->data, REEVE_MODEL_ALLOW_OTHERS) != 0
        && reeve_tenants_get_status (tenants, one->data) == REEVE_TENANT_ABSENT)
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", (const char *) one->data);
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}
