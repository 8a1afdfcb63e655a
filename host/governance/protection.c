/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One rotation at a time: each is bound by the disk, and two would only wait for each other. */
#include "protection.h"

#include <string.h>

#define REEVE_PROTECTION_LIMIT 50

struct _ReeveProtection
{
  GObject parent_instance;

  ReeveStore *store;
  char *key_source;
  gboolean beside; /* the master key lies in the state folder */
  GCancellable *cancellable;
  GMutex mutex;
  char *rotating; /* the store whose turn it is; NULL: no rotation */
  guint done;
  guint total;
};

G_DEFINE_FINAL_TYPE (ReeveProtection, reeve_protection, G_TYPE_OBJECT)

static void
reeve_protection_finalize (GObject *object)
{
  ReeveProtection *self = REEVE_PROTECTION (object);

  g_clear_object (&self->store);
  g_clear_object (&self->cancellable);
  g_mutex_clear (&self->mutex);
  g_free (self->key_source);
  g_free (self->rotating);
  G_OBJECT_CLASS (reeve_protection_parent_class)->finalize (object);
}

static void
reeve_protection_class_init (ReeveProtectionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_protection_finalize;
}

static void
reeve_protection_init (ReeveProtection *self)
{
  g_mutex_init (&self->mutex);
  self->cancellable = g_cancellable_new ();
}

/**
 * reeve_protection_new:
 * @store: an open store
 * @key_source: where the master key is, as configured
 * @beside: whether that is inside the folder that it protects
 *
 * Returns: (transfer full): what is known of its encryption
 */
ReeveProtection *
reeve_protection_new (ReeveStore *store, const char *key_source, gboolean beside)
{
  ReeveProtection *self = g_object_new (REEVE_TYPE_PROTECTION, NULL);

  self->store = g_object_ref (store);
  self->key_source = g_strdup (key_source);
  self->beside = beside;
  return self;
}

/**
 * reeve_protection_stop:
 * @self: protection
 *
 * For the end of the host: a rotation under way stops where the store is whole, and goes on when it
 * is asked for again.
 */
void
reeve_protection_stop (ReeveProtection *self)
{
  g_cancellable_cancel (self->cancellable);
}

/* ---- what there is ---- */

static void
reeve_protection_set_text (JsonObject *object, const char *member, const char *text)
{
  if (text != NULL)
    json_object_set_string_member (object, member, text);
  else
    json_object_set_null_member (object, member);
}

static int
reeve_protection_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* those that have keys and no store */
static void
reeve_protection_add_lost (ReeveProtection *self, GPtrArray *names, char **scopes)
{
  ReeveStoreKeys *keys = reeve_store_get_keys (self->store);
  g_auto (GStrv) owners = keys != NULL ? reeve_store_keys_list (keys) : NULL;
  g_autoptr (GHashTable) found = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; scopes[i] != NULL; i++)
    g_hash_table_add (found, scopes[i]);
  for (guint i = 0; owners != NULL && owners[i] != NULL; i++)
    if (!g_hash_table_contains (found, owners[i]))
      g_ptr_array_add (names, g_strdup (owners[i]));
}

/* (transfer full) names of all stores, sorted; NULL with an error. lost: those too of which only
 * the keys are there */
static GPtrArray *
reeve_protection_list_names (ReeveProtection *self, gboolean lost, GError **error)
{
  g_auto (GStrv) scopes = reeve_store_list_scopes (self->store, error);
  GPtrArray *names = NULL;

  if (scopes == NULL)
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (names, g_strdup (REEVE_SCOPE_PLATFORM));
  for (guint i = 0; scopes[i] != NULL; i++)
    g_ptr_array_add (names, g_strdup (scopes[i]));
  if (lost)
    reeve_protection_add_lost (self, names, scopes);
  g_ptr_array_sort (names, reeve_protection_compare);
  return names;
}

/* the rotation under way, or null */
static void
reeve_protection_show_rotation (ReeveProtection *self, JsonObject *shown)
{
  JsonObject *rotation = NULL;

  g_mutex_lock (&self->mutex);
  if (self->rotating != NULL)
    {
      rotation = json_object_new ();
      json_object_set_string_member (rotation, "store", self->rotating);
      json_object_set_int_member (rotation, "done", self->done);
      json_object_set_int_member (rotation, "total", self->total);
    }
  g_mutex_unlock (&self->mutex);
  if (rotation != NULL)
    json_object_set_object_member (shown, "rotation", rotation);
  else
    json_object_set_null_member (shown, "rotation");
}

/**
 * reeve_protection_get:
 * @self: protection
 * @error: return location
 *
 * Returns: (transfer full): what holds for all stores; %NULL with an error
 */
JsonObject *
reeve_protection_get (ReeveProtection *self, GError **error)
{
  ReeveStoreKeys *keys = reeve_store_get_keys (self->store);
  g_autoptr (GPtrArray) names = reeve_protection_list_names (self, TRUE, error);
  JsonObject *shown = NULL;

  if (names == NULL)
    return NULL;
  shown = json_object_new ();
  json_object_set_boolean_member (shown, "enabled", keys != NULL);
  reeve_protection_set_text (shown, "algorithm", keys != NULL ? "aes-256-gcm" : NULL);
  reeve_protection_set_text (shown, "key_source", keys != NULL ? self->key_source : NULL);
  json_object_set_boolean_member (shown, "key_beside", keys != NULL && self->beside);
  reeve_protection_set_text (shown, "master_key",
                             keys != NULL ? reeve_store_keys_get_master (keys) : NULL);
  json_object_set_int_member (shown, "stores", names->len);
  reeve_protection_show_rotation (self, shown);
  return shown;
}

/* One that held nothing yet may be lost as well, only the storage does not miss it. */
static const char *
reeve_protection_explain (const GError *error)
{
  return g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND)
             ? "the store is missing: it was lost, or its making was cut off"
             : error->message;
}

/* A store that cannot be looked at says why, and hides no other. */
static JsonObject *
reeve_protection_show (ReeveProtection *self, const char *name)
{
  ReeveStorageProtection protection = { 0 };
  JsonObject *shown = json_object_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *data_key = NULL;
  gboolean known = reeve_store_get_protection (self->store, name, &protection, &error);

  json_object_set_string_member (shown, "store", name);
  json_object_set_boolean_member (shown, "encrypted", protection.encrypted);
  if (protection.encrypted)
    data_key = g_strdup_printf ("tenant:%s:v%u", name, protection.key_id);
  reeve_protection_set_text (shown, "data_key", data_key);
  json_object_set_int_member (shown, "seals",
                              (gint64) MIN (protection.seals, (guint64) G_MAXINT64));
  json_object_set_int_member (shown, "sequence",
                              (gint64) MIN (protection.sequence, (guint64) G_MAXINT64));
  reeve_protection_set_text (shown, "problem", known ? NULL : reeve_protection_explain (error));
  return shown;
}

/**
 * reeve_protection_list:
 * @self: protection
 * @params: limit and cursor
 * @error: return location
 *
 * Returns: (transfer full): a page of stores by their names; %NULL with an error
 */
JsonObject *
reeve_protection_list (ReeveProtection *self, JsonObject *params, GError **error)
{
  const char *cursor = reeve_json_get_string (params, "cursor", "");
  gint64 limit = reeve_json_get_int (params, "limit", REEVE_PROTECTION_LIMIT);
  g_autoptr (GPtrArray) names = reeve_protection_list_names (self, TRUE, error);
  JsonArray *items = NULL;
  JsonObject *page = NULL;
  guint from = 0;
  guint until = 0;

  if (names == NULL)
    return NULL;
  while (from < names->len && strcmp (g_ptr_array_index (names, from), cursor) <= 0)
    from++;
  until = (guint) MIN ((gint64) names->len, from + limit);
  items = json_array_new ();
  for (guint i = from; i < until; i++)
    json_array_add_object_element (items,
                                   reeve_protection_show (self, g_ptr_array_index (names, i)));
  page = json_object_new ();
  json_object_set_array_member (page, "items", items);
  reeve_protection_set_text (
      page, "next_cursor",
      until > from && until < names->len ? g_ptr_array_index (names, until - 1) : NULL);
  return page;
}

/* ---- rotation ---- */

static gboolean
reeve_protection_begin (ReeveProtection *self, guint total, GError **error)
{
  gboolean vacant = FALSE;

  g_mutex_lock (&self->mutex);
  vacant = self->rotating == NULL;
  if (vacant)
    {
      self->rotating = g_strdup ("");
      self->done = 0;
      self->total = total;
    }
  g_mutex_unlock (&self->mutex);
  if (!vacant)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                         "a rotation is under way already");
  return vacant;
}

static void
reeve_protection_step (ReeveProtection *self, const char *name, guint done)
{
  g_mutex_lock (&self->mutex);
  g_free (self->rotating);
  self->rotating = g_strdup (name);
  self->done = done;
  g_mutex_unlock (&self->mutex);
}

/* names: which stores; all of them are tried, unless the host ends */
static JsonObject *
reeve_protection_rotate_all (ReeveProtection *self, GPtrArray *names, ReeveRotation how,
                             GError **first)
{
  JsonObject *report = json_object_new ();
  JsonArray *stores = json_array_new ();
  guint failed = 0;

  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autoptr (GError) error = NULL;
      JsonObject *shown = NULL;

      reeve_protection_step (self, name, i);
      if (!reeve_store_rotate (self->store, name, how, self->cancellable, &error))
        failed++;
      shown = reeve_protection_show (self, name);
      if (error != NULL)
        json_object_set_string_member (shown, "problem", error->message);
      json_array_add_object_element (stores, shown);
      if (error != NULL && *first == NULL)
        *first = g_steal_pointer (&error);
    }
  json_object_set_string_member (report, "method", how == REEVE_ROTATION_COPY ? "copy" : "rewrite");
  json_object_set_array_member (report, "stores", stores);
  json_object_set_int_member (report, "succeeded", names->len - failed);
  json_object_set_int_member (report, "failed", failed);
  return report;
}

/* (transfer full) the stores that are meant; NULL with an error */
static GPtrArray *
reeve_protection_choose (ReeveProtection *self, const char *only, GError **error)
{
  GPtrArray *names = NULL;

  if (reeve_store_get_keys (self->store) == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                           "stores are not encrypted: encryption.enabled is false");
      return NULL;
    }
  if (only == NULL)
    return reeve_protection_list_names (self, FALSE, error);
  if (strcmp (only, REEVE_SCOPE_PLATFORM) != 0
      && (!reeve_storage_scope_is_valid (only) || !reeve_store_has_scope (self->store, only)))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such store");
      return NULL;
    }
  names = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (names, g_strdup (only));
  return names;
}

/**
 * reeve_protection_rotate:
 * @self: protection
 * @admitted: the right to `encryption.rotate`
 * @params: store and method
 * @error: return location
 *
 * Gives one store, or all, a new data key and destroys the older ones. One that fails keeps all of
 * its keys, and does not stop the others.
 *
 * Returns: (transfer full): how it went for each; %NULL with an error when the only one failed, or
 * nothing was begun
 */
JsonObject *
reeve_protection_rotate (ReeveProtection *self, ReeveAdmitted *admitted, JsonObject *params,
                         GError **error)
{
  const char *only = reeve_json_get_string (params, "store", NULL);
  ReeveRotation how = strcmp (reeve_json_get_string (params, "method", "copy"), "copy") == 0
                          ? REEVE_ROTATION_COPY
                          : REEVE_ROTATION_REWRITE;
  g_autoptr (GPtrArray) names = reeve_protection_choose (self, only, error);
  g_autoptr (JsonObject) report = NULL;
  GError *first = NULL;

  if (names == NULL || !reeve_protection_begin (self, names->len, error))
    return NULL;
  reeve_admitted_consume_exactly (admitted, "encryption.rotate", only, params);
  report = reeve_protection_rotate_all (self, names, how, &first);
  reeve_protection_step (self, NULL, 0);
  if (first != NULL && names->len == 1)
    {
      g_propagate_prefixed_error (
          error, first, "rotating the key of %s: ", (const char *) g_ptr_array_index (names, 0));
      return NULL;
    }
  g_clear_error (&first);
  return g_steal_pointer (&report);
}
