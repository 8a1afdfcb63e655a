/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tenants in memory. Two changes may be learnt in another order than they were committed: the
 * record's revision says which is the newer. */
#include "tenants-known.h"

#include "directory.h"

typedef struct
{
  ReeveTenantStatus status;
  gint64 revision;
  JsonNode *settings; /* (nullable): handed out as a node, whose count is atomic */
} ReeveTenantsKnownRow;

struct _ReeveTenantsKnown
{
  GMutex mutex;
  GHashTable *rows;     /* tenant id -> ReeveTenantsKnownRow */
  GHashTable *defaults; /* name of a setting -> gint64 */
};

static const char *const reeve_tenants_known_words[]
    = { "absent", "active", "suspended", "deleting" };

/**
 * reeve_tenants_known_get_word:
 * @status: a status
 *
 * Returns: (transfer none): its word in records and answers
 */
const char *
reeve_tenants_known_get_word (ReeveTenantStatus status)
{
  return reeve_tenants_known_words[status];
}

static ReeveTenantStatus
reeve_tenants_known_parse (const char *word)
{
  for (guint i = REEVE_TENANT_ACTIVE; i < G_N_ELEMENTS (reeve_tenants_known_words); i++)
    if (g_strcmp0 (word, reeve_tenants_known_words[i]) == 0)
      return (ReeveTenantStatus) i;
  return REEVE_TENANT_ACTIVE;
}

static void
reeve_tenants_known_row_free (gpointer data)
{
  ReeveTenantsKnownRow *row = data;

  g_clear_pointer (&row->settings, json_node_unref);
  g_free (row);
}

/**
 * reeve_tenants_known_new:
 *
 * Returns: (transfer full): without tenants
 */
ReeveTenantsKnown *
reeve_tenants_known_new (void)
{
  ReeveTenantsKnown *self = g_new0 (ReeveTenantsKnown, 1);

  g_mutex_init (&self->mutex);
  self->rows
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reeve_tenants_known_row_free);
  self->defaults = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

/**
 * reeve_tenants_known_free:
 * @self: (transfer full): tenants in memory
 */
void
reeve_tenants_known_free (ReeveTenantsKnown *self)
{
  g_hash_table_unref (self->rows);
  g_hash_table_unref (self->defaults);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/**
 * reeve_tenants_known_set_default:
 * @self: tenants in memory
 * @name: name of a setting
 * @value: what holds where a tenant's settings say nothing
 */
void
reeve_tenants_known_set_default (ReeveTenantsKnown *self, const char *name, gint64 value)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  g_hash_table_replace (self->defaults, g_strdup (name), g_memdup2 (&value, sizeof value));
}

/* (transfer full) (nullable): a copy, whose members are shared by nodes */
static JsonNode *
reeve_tenants_known_copy_settings (JsonObject *fields)
{
  JsonObject *settings = reeve_json_get_object (fields, "settings");
  g_autoptr (JsonObject) copy = NULL;

  if (settings == NULL)
    return NULL;
  copy = reeve_directory_dup (settings);
  return json_node_init_object (json_node_alloc (), copy);
}

/**
 * reeve_tenants_known_learn:
 * @self: tenants in memory
 * @tenant_id: which
 * @fields: of its record
 * @revision: of its record
 *
 * Replaces what was known of the tenant, unless that is newer.
 */
void
reeve_tenants_known_learn (ReeveTenantsKnown *self, const char *tenant_id, JsonObject *fields,
                           gint64 revision)
{
  ReeveTenantsKnownRow *row = g_new0 (ReeveTenantsKnownRow, 1);
  ReeveTenantsKnownRow *before = NULL;

  row->status = reeve_tenants_known_parse (reeve_json_get_string (fields, "status", "active"));
  row->revision = revision;
  row->settings = reeve_tenants_known_copy_settings (fields);
  g_mutex_lock (&self->mutex);
  before = g_hash_table_lookup (self->rows, tenant_id);
  if (before == NULL || before->revision <= revision)
    g_hash_table_replace (self->rows, g_strdup (tenant_id), g_steal_pointer (&row));
  g_mutex_unlock (&self->mutex);
  if (row != NULL)
    reeve_tenants_known_row_free (row);
}

/**
 * reeve_tenants_known_forget:
 * @self: tenants in memory
 * @tenant_id: a tenant that is no more
 */
void
reeve_tenants_known_forget (ReeveTenantsKnown *self, const char *tenant_id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  g_hash_table_remove (self->rows, tenant_id);
}

/**
 * reeve_tenants_known_get_status:
 * @self: tenants in memory
 * @tenant_id: which
 *
 * Returns: how it stands
 */
ReeveTenantStatus
reeve_tenants_known_get_status (ReeveTenantsKnown *self, const char *tenant_id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  ReeveTenantsKnownRow *row = g_hash_table_lookup (self->rows, tenant_id);

  return row != NULL ? row->status : REEVE_TENANT_ABSENT;
}

/**
 * reeve_tenants_known_list_deleting:
 * @self: tenants in memory
 *
 * Returns: (transfer full): ids of those whose removal was begun and not ended
 */
char **
reeve_tenants_known_list_deleting (ReeveTenantsKnown *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  GHashTableIter iter = { 0 };
  gpointer tenant_id = NULL;
  gpointer row = NULL;

  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, &tenant_id, &row))
    if (((ReeveTenantsKnownRow *) row)->status == REEVE_TENANT_DELETING)
      g_strv_builder_add (builder, tenant_id);
  return g_strv_builder_end (builder);
}

/* (transfer full) (nullable) */
static JsonNode *
reeve_tenants_known_get_settings (ReeveTenantsKnown *self, const char *tenant_id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  ReeveTenantsKnownRow *row = g_hash_table_lookup (self->rows, tenant_id);

  return row != NULL && row->settings != NULL ? json_node_ref (row->settings) : NULL;
}

static gint64
reeve_tenants_known_get_default (ReeveTenantsKnown *self, const char *name, gint64 fallback)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  const gint64 *value = g_hash_table_lookup (self->defaults, name);

  return value != NULL ? *value : fallback;
}

/**
 * reeve_tenants_known_get_limit:
 * @self: tenants in memory
 * @tenant_id: which
 * @name: name of the setting
 * @fallback: where neither the tenant nor the configuration says anything
 *
 * Returns: the number
 */
gint64
reeve_tenants_known_get_limit (ReeveTenantsKnown *self, const char *tenant_id, const char *name,
                               gint64 fallback)
{
  g_autoptr (JsonNode) settings = reeve_tenants_known_get_settings (self, tenant_id);
  gint64 configured = reeve_tenants_known_get_default (self, name, fallback);

  return settings != NULL ? reeve_json_get_int (json_node_get_object (settings), name, configured)
                          : configured;
}

/**
 * reeve_tenants_known_has_feature:
 * @self: tenants in memory
 * @tenant_id: which
 * @feature: name of a feature
 *
 * Returns: whether the tenant has it: all, unless its settings list some
 */
gboolean
reeve_tenants_known_has_feature (ReeveTenantsKnown *self, const char *tenant_id,
                                 const char *feature)
{
  g_autoptr (JsonNode) settings = reeve_tenants_known_get_settings (self, tenant_id);
  g_auto (GStrv) features = NULL;

  if (settings == NULL
      || reeve_json_get_array (json_node_get_object (settings), "features") == NULL)
    return TRUE;
  features = reeve_directory_get_strings (json_node_get_object (settings), "features");
  return g_strv_contains ((const char *const *) features, feature);
}

/**
 * reeve_tenants_known_get_strings:
 * @self: tenants in memory
 * @tenant_id: which
 * @name: name of a setting that is a list of texts
 *
 * Returns: (transfer full): the texts; none where the tenant's settings say nothing
 */
char **
reeve_tenants_known_get_strings (ReeveTenantsKnown *self, const char *tenant_id, const char *name)
{
  g_autoptr (JsonNode) settings = reeve_tenants_known_get_settings (self, tenant_id);

  return settings != NULL ? reeve_directory_get_strings (json_node_get_object (settings), name)
                          : g_new0 (char *, 1);
}
