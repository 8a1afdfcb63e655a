/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a report tells comes first. Then an agent's tag `department:NAME`, `cost_center:NAME`,
 * `project:NAME`: what an agent does is done for a purpose, whoever asks for it. Else the user's
 * attribute of that name. */
#include "usage-labels.h"

#include <string.h>

#define REEVE_USAGE_LABELS     3
#define REEVE_USAGE_LABELS_MAX 256

struct _ReeveUsageLabels
{
  ReeveStore *store;
  char *tenant_id;
  GHashTable *known; /* "collection/id" -> char*[REEVE_USAGE_LABELS + 1] with gaps */
};

typedef char *(*ReeveUsageLabelsRead) (JsonObject *fields, const char *name);

static void
reeve_usage_labels_free_values (gpointer data)
{
  char **values = data;

  for (guint i = 0; i < REEVE_USAGE_LABELS; i++)
    g_free (values[i]);
  g_free (values);
}

ReeveUsageLabels *
reeve_usage_labels_new (ReeveStore *store, const char *tenant_id)
{
  ReeveUsageLabels *self = g_new0 (ReeveUsageLabels, 1);

  self->store = g_object_ref (store);
  self->tenant_id = g_strdup (tenant_id);
  self->known
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reeve_usage_labels_free_values);
  return self;
}

void
reeve_usage_labels_free (ReeveUsageLabels *self)
{
  g_object_unref (self->store);
  g_hash_table_unref (self->known);
  g_free (self->tenant_id);
  g_free (self);
}

/* (transfer full) (nullable): a value that a table can take */
static char *
reeve_usage_labels_take (const char *text)
{
  return text != NULL && *text != '\0' && strlen (text) <= REEVE_USAGE_LABELS_MAX ? g_strdup (text)
                                                                                  : NULL;
}

static char *
reeve_usage_labels_of_user (JsonObject *fields, const char *name)
{
  JsonObject *attributes = reeve_json_get_object (fields, "attributes");

  return attributes != NULL
             ? reeve_usage_labels_take (reeve_json_get_string (attributes, name, NULL))
             : NULL;
}

static char *
reeve_usage_labels_of_agent (JsonObject *fields, const char *name)
{
  JsonArray *tags = reeve_json_get_array (fields, "tags");
  gsize length = strlen (name);

  for (guint i = 0; tags != NULL && i < json_array_get_length (tags); i++)
    {
      const char *tag = json_array_get_string_element (tags, i);

      if (tag != NULL && strncmp (tag, name, length) == 0 && tag[length] == ':')
        return reeve_usage_labels_take (tag + length + 1);
    }
  return NULL;
}

/* (transfer none) (nullable): NULL with an error; who is not there any more has no labels */
static char **
reeve_usage_labels_find (ReeveUsageLabels *self, const char *collection, const char *id,
                         ReeveUsageLabelsRead read, GError **error)
{
  g_autofree char *key = g_strconcat (collection, "/", id, NULL);
  char **values = g_hash_table_lookup (self->known, key);
  g_autoptr (ReeveRecord) record = NULL;
  g_autoptr (GError) local = NULL;

  if (values != NULL)
    return values;
  record = reeve_store_get (self->store, self->tenant_id, collection, id, &local);
  if (record == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  values = g_new0 (char *, REEVE_USAGE_LABELS);
  for (guint i = 0; record != NULL && i < REEVE_USAGE_LABELS; i++)
    values[i] = read (
        reeve_record_get_fields (record),
        reeve_usage_series_name ((ReeveUsageSeries) (REEVE_USAGE_BY_DEPARTMENT + (gint) i)));
  g_hash_table_insert (self->known, g_steal_pointer (&key), values);
  return values;
}

/**
 * reeve_usage_labels_resolve:
 * @self: labels of the tenant
 * @event: what was used
 * @error: return location
 *
 * Returns: %FALSE when the store cannot be read
 */
gboolean
reeve_usage_labels_resolve (ReeveUsageLabels *self, ReeveUsageEvent *event, GError **error)
{
  static const struct
  {
    ReeveUsageSeries of;
    const char *collection;
    ReeveUsageLabelsRead read;
  } rows[] = { { REEVE_USAGE_BY_AGENT, REEVE_STORE_AGENTS, reeve_usage_labels_of_agent },
               { REEVE_USAGE_BY_USER, REEVE_STORE_USERS, reeve_usage_labels_of_user } };

  for (guint row = 0; row < G_N_ELEMENTS (rows); row++)
    {
      const char *id = event->values[rows[row].of];
      char **values = NULL;

      if (id == NULL)
        continue;
      values = reeve_usage_labels_find (self, rows[row].collection, id, rows[row].read, error);
      if (values == NULL)
        return FALSE;
      for (guint i = 0; i < REEVE_USAGE_LABELS; i++)
        if (event->values[REEVE_USAGE_BY_DEPARTMENT + i] == NULL)
          event->values[REEVE_USAGE_BY_DEPARTMENT + i] = values[i];
    }
  return TRUE;
}
