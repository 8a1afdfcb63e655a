/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The digest is SHA-256 of a random salt of 32 bytes and the value; the salt is sealed with the
 * value. So who knows the value and the record but not the salt can confirm nothing, and when the
 * key is gone nobody can. The digest is the record's name: what is kept is durable before the
 * record that names it, and a value without a record goes with its age. */
#include "kept-values.h"

#include <string.h>

#include "base/config-print.h"
#include "base/digests.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/times.h"
#include "store/key-seal.h"

#define REEVE_KEPT_VALUES_SALT 32
/* tries while a subject is erased */
#define REEVE_KEPT_VALUES_TRIES 4
/* An address is kept anew after a day: what is kept is never much older than the last record that
 * names it. */
#define REEVE_KEPT_VALUES_ADDRESS_US (24 * 60 * 60 * G_TIME_SPAN_SECOND)
#define REEVE_KEPT_VALUES_ADDRESSES  4096
#define REEVE_KEPT_VALUES_MASK       "***"
/* what is put around a body: digest, names, and the escapes of a text that was cut */
#define REEVE_KEPT_VALUES_TEXT (6 * REEVE_KEPT_VALUES_BODY + 1024)

typedef struct
{
  char *digest;
  gint64 since; /* monotonic µs */
} ReeveKeptAddress;

struct _ReeveKeptValues
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveSubjectKeys *keys;
  gboolean bodies;
  gboolean addresses;
  gboolean queries;
  gboolean tool_results;
  GMutex mutex;
  GHashTable *known; /* of addresses, by "scope\nsubject\naddress" */
};

G_DEFINE_FINAL_TYPE (ReeveKeptValues, reeve_kept_values, G_TYPE_OBJECT)

static void
reeve_kept_values_free_address (gpointer data)
{
  ReeveKeptAddress *address = data;

  g_free (address->digest);
  g_free (address);
}

static void
reeve_kept_values_finalize (GObject *object)
{
  ReeveKeptValues *self = REEVE_KEPT_VALUES (object);

  g_clear_object (&self->store);
  g_clear_object (&self->keys);
  g_hash_table_unref (self->known);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (reeve_kept_values_parent_class)->finalize (object);
}

static void
reeve_kept_values_class_init (ReeveKeptValuesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_kept_values_finalize;
}

static void
reeve_kept_values_init (ReeveKeptValues *self)
{
  g_mutex_init (&self->mutex);
  self->known
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reeve_kept_values_free_address);
}

/**
 * reeve_kept_values_new:
 * @store: where they are kept
 * @keys: under which
 * @bodies: whether bodies are to be kept
 * @addresses: whether addresses are
 *
 * Returns: (transfer full): what is kept
 */
ReeveKeptValues *
reeve_kept_values_new (ReeveStore *store, ReeveSubjectKeys *keys, gboolean bodies,
                       gboolean addresses)
{
  ReeveKeptValues *self = g_object_new (REEVE_TYPE_KEPT_VALUES, NULL);

  self->store = g_object_ref (store);
  self->keys = g_object_ref (keys);
  self->bodies = bodies;
  self->queries = TRUE;
  self->tool_results = TRUE;
  self->addresses = addresses;
  return self;
}

/**
 * reeve_kept_values_set_kinds:
 * @self: what is kept
 * @queries: whether what is asked by reads is
 * @tool_results: whether what tools answer is
 */
void
reeve_kept_values_set_kinds (ReeveKeptValues *self, gboolean queries, gboolean tool_results)
{
  self->queries = queries;
  self->tool_results = tool_results;
}

gboolean
reeve_kept_values_takes (ReeveKeptValues *self, const ReeveLedgerRecord *record)
{
  if (record->kind == REEVE_LEDGER_READ)
    return self->bodies && self->queries;
  if (record->kind == REEVE_LEDGER_OUTCOME && g_strcmp0 (record->action, "tool.call") == 0)
    return self->bodies && self->tool_results;
  return self->bodies;
}

gboolean
reeve_kept_values_has_bodies (ReeveKeptValues *self)
{
  return self->bodies;
}

gboolean
reeve_kept_values_has_addresses (ReeveKeptValues *self)
{
  return self->addresses;
}

/* ---- what is kept of a body ---- */

static JsonNode *reeve_kept_values_redact (JsonNode *node, gboolean secret);

static JsonNode *
reeve_kept_values_redact_object (JsonObject *object)
{
  g_autoptr (JsonObject) shown = json_object_new ();
  g_autoptr (GList) names = json_object_get_members (object);

  for (GList *l = names; l != NULL; l = l->next)
    json_object_set_member (shown, l->data,
                            reeve_kept_values_redact (json_object_get_member (object, l->data),
                                                      reeve_config_print_is_secret (l->data)));
  return json_node_init_object (json_node_alloc (), shown);
}

static JsonNode *
reeve_kept_values_redact_array (JsonArray *array)
{
  g_autoptr (JsonArray) shown = json_array_new ();

  for (guint i = 0; i < json_array_get_length (array); i++)
    json_array_add_element (shown,
                            reeve_kept_values_redact (json_array_get_element (array, i), FALSE));
  return json_node_init_array (json_node_alloc (), shown);
}

/* (transfer full): a copy without what sounds or looks like a credential */
static JsonNode *
reeve_kept_values_redact (JsonNode *node, gboolean secret)
{
  const char *text = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
  g_autofree char *masked = NULL;

  if (secret && !JSON_NODE_HOLDS_NULL (node))
    return json_node_init_string (json_node_alloc (), REEVE_KEPT_VALUES_MASK);
  if (JSON_NODE_HOLDS_OBJECT (node))
    return reeve_kept_values_redact_object (json_node_get_object (node));
  if (JSON_NODE_HOLDS_ARRAY (node))
    return reeve_kept_values_redact_array (json_node_get_array (node));
  if (text == NULL)
    return json_node_copy (node);
  /* beyond that it is cut anyway */
  masked = reeve_log_mask (text, 2 * REEVE_KEPT_VALUES_BODY);
  return json_node_init_string (json_node_alloc (), masked);
}

/* The beginning of it. */
static void
reeve_kept_values_cut (JsonObject *kept, char *text)
{
  const char *end = NULL;

  text[REEVE_KEPT_VALUES_BODY] = '\0';
  if (!g_utf8_validate (text, -1, &end))
    text[end - text] = '\0';
  json_object_set_string_member (kept, "text", text);
  json_object_set_boolean_member (kept, "cut", TRUE);
}

/**
 * reeve_kept_values_describe:
 * @body: (nullable): arguments or result
 * @digest: (nullable): the plain digest that the record would have had
 *
 * Returns: (transfer full): canonical JSON: `body`, or `text` with the beginning of its canonical
 * form and `cut`; and `digest`
 */
char *
reeve_kept_values_describe (JsonNode *body, const char *digest)
{
  g_autoptr (JsonObject) kept = json_object_new ();
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (JsonNode) redacted = body != NULL ? reeve_kept_values_redact (body, FALSE) : NULL;
  g_autofree char *text = redacted != NULL ? reeve_json_canonical (redacted) : NULL;
  gsize length = text != NULL ? strlen (text) : 0;

  if (length > REEVE_KEPT_VALUES_BODY)
    reeve_kept_values_cut (kept, text);
  else if (text != NULL)
    json_object_set_member (kept, "body", g_steal_pointer (&redacted));
  if (digest != NULL)
    json_object_set_string_member (kept, "digest", digest);
  node = json_node_init_object (json_node_alloc (), kept);
  return reeve_json_canonical (node);
}

/* ---- keeping ---- */

/* What a seal holds to. */
static char *
reeve_kept_values_bind (const char *scope, const char *digest, const char *subject,
                        guint generation)
{
  return g_strdup_printf ("reeve-kept/1\n%s\n%s\n%u\n%s", scope, digest, generation, subject);
}

static char *
reeve_kept_values_seal (const char *scope, const char *subject, const ReeveSubjectKey *key,
                        const char *text, char **digest, GError **error)
{
  gsize length = strlen (text);
  g_autofree guint8 *salted = g_malloc (REEVE_KEPT_VALUES_SALT + length + 1);
  g_autofree char *bound = NULL;
  char *sealed = NULL;

  reeve_ids_fill_random (salted, REEVE_KEPT_VALUES_SALT);
  memcpy (salted + REEVE_KEPT_VALUES_SALT, text, length + 1);
  *digest = reeve_digests_sha256_hex (salted, REEVE_KEPT_VALUES_SALT + length);
  bound = reeve_kept_values_bind (scope, *digest, subject, key->generation);
  sealed = reeve_key_seal_close (key->key, bound, salted, REEVE_KEPT_VALUES_SALT + length, error);
  explicit_bzero (salted, REEVE_KEPT_VALUES_SALT + length);
  return sealed;
}

/* Under the key that holds now, on condition that it still does. */
static char *
reeve_kept_values_try (ReeveKeptValues *self, const char *scope, const char *subject,
                       const char *text, GError **error)
{
  ReeveSubjectKey key;
  g_autoptr (ReeveBatch) batch = reeve_batch_new (scope);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autofree char *digest = NULL;
  g_autofree char *sealed = NULL;

  if (!reeve_subject_keys_make (self->keys, scope, subject, &key, error))
    return NULL;
  sealed = reeve_kept_values_seal (scope, subject, &key, text, &digest, error);
  explicit_bzero (key.key, sizeof key.key);
  if (sealed == NULL)
    return NULL;
  json_object_set_string_member (fields, "subject", subject);
  json_object_set_int_member (fields, "generation", key.generation);
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  json_object_set_string_member (fields, "sealed", sealed);
  reeve_batch_check (batch, REEVE_STORE_SUBJECTS, subject, key.revision);
  reeve_batch_put (batch, REEVE_STORE_KEPT_VALUES, digest, fields, REEVE_REVISION_ABSENT);
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL ? g_steal_pointer (&digest) : NULL;
}

/**
 * reeve_kept_values_put:
 * @self: what is kept
 * @scope: a tenant
 * @subject: whom it is about
 * @text: a value
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full): its salted digest, hexadecimal, when it is durable; %NULL with an error
 */
char *
reeve_kept_values_put (ReeveKeptValues *self, const char *scope, const char *subject,
                       const char *text, GError **error)
{
  g_autoptr (GError) local = NULL;
  char *digest = NULL;

  for (guint i = 0; i < REEVE_KEPT_VALUES_TRIES && digest == NULL; i++)
    {
      g_clear_error (&local);
      digest = reeve_kept_values_try (self, scope, subject, text, &local);
      if (digest == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT))
        break;
    }
  if (digest == NULL)
    g_propagate_prefixed_error (error, g_steal_pointer (&local),
                                "keeping what belongs to a record: ");
  return digest;
}

/* ---- addresses ---- */

static char *
reeve_kept_values_name_address (const char *scope, const char *subject, const char *address)
{
  return g_strjoin ("\n", scope, subject, address, NULL);
}

/**
 * reeve_kept_values_find_address:
 * @self: what is kept
 * @scope: a tenant
 * @subject: who called
 * @address: from where
 *
 * Returns: (transfer full) (nullable): the digest under which that was kept within the last day
 */
char *
reeve_kept_values_find_address (ReeveKeptValues *self, const char *scope, const char *subject,
                                const char *address)
{
  g_autofree char *name = reeve_kept_values_name_address (scope, subject, address);
  const ReeveKeptAddress *found = NULL;
  char *digest = NULL;

  g_mutex_lock (&self->mutex);
  found = g_hash_table_lookup (self->known, name);
  if (found != NULL && g_get_monotonic_time () - found->since < REEVE_KEPT_VALUES_ADDRESS_US)
    digest = g_strdup (found->digest);
  g_mutex_unlock (&self->mutex);
  return digest;
}

/**
 * reeve_kept_values_put_address:
 * @self: what is kept
 * @scope: a tenant
 * @subject: who called
 * @address: from where
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full): its salted digest; %NULL with an error
 */
char *
reeve_kept_values_put_address (ReeveKeptValues *self, const char *scope, const char *subject,
                               const char *address, GError **error)
{
  char *digest = reeve_kept_values_put (self, scope, subject, address, error);
  ReeveKeptAddress *known = NULL;

  if (digest == NULL)
    return NULL;
  known = g_new0 (ReeveKeptAddress, 1);
  known->digest = g_strdup (digest);
  known->since = g_get_monotonic_time ();
  g_mutex_lock (&self->mutex);
  if (g_hash_table_size (self->known) >= REEVE_KEPT_VALUES_ADDRESSES)
    g_hash_table_remove_all (self->known);
  g_hash_table_replace (self->known, reeve_kept_values_name_address (scope, subject, address),
                        known);
  g_mutex_unlock (&self->mutex);
  return digest;
}

static gboolean
reeve_kept_values_is_of (gpointer key, gpointer value, gpointer data)
{
  return g_str_has_prefix (key, data);
}

/* What comes after an erasure is kept under another key. */
static void
reeve_kept_values_forget (ReeveKeptValues *self, const char *scope, const char *subject)
{
  g_autofree char *prefix = reeve_kept_values_name_address (scope, subject, "");

  g_mutex_lock (&self->mutex);
  g_hash_table_foreach_remove (self->known, reeve_kept_values_is_of, prefix);
  g_mutex_unlock (&self->mutex);
}

/* ---- reading ---- */

static char *
reeve_kept_values_unseal (const char *scope, const char *digest, JsonObject *fields,
                          const ReeveSubjectKey *key, GError **error)
{
  g_autofree char *bound = reeve_kept_values_bind (
      scope, digest, reeve_json_get_string (fields, "subject", ""), key->generation);
  gsize most = REEVE_KEPT_VALUES_SALT + REEVE_KEPT_VALUES_TEXT;
  g_autofree char *salted = g_malloc0 (most + 1);
  g_autofree char *found = NULL;
  gssize length = reeve_key_seal_open (
      key->key, bound, reeve_json_get_string (fields, "sealed", ""), salted, most, error);

  if (length < 0)
    return NULL;
  found = reeve_digests_sha256_hex (salted, (gsize) length);
  if (length >= REEVE_KEPT_VALUES_SALT && strcmp (found, digest) == 0)
    return g_strndup (salted + REEVE_KEPT_VALUES_SALT, (gsize) length - REEVE_KEPT_VALUES_SALT);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "it is not what the digest is of");
  return NULL;
}

static gboolean
reeve_kept_values_read (ReeveKeptValues *self, const char *scope, const char *digest,
                        JsonObject *fields, ReeveKeptState *state, char **text, GError **error)
{
  ReeveSubjectKey key;
  g_autoptr (GError) local = NULL;

  if (!reeve_subject_keys_find (self->keys, scope, reeve_json_get_string (fields, "subject", ""),
                                (guint) reeve_json_get_int (fields, "generation", 0), &key, &local))
    {
      if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
        {
          *state = REEVE_KEPT_ERASED;
          return TRUE;
        }
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  *text = reeve_kept_values_unseal (scope, digest, fields, &key, error);
  explicit_bzero (key.key, sizeof key.key);
  *state = REEVE_KEPT_READABLE;
  return *text != NULL;
}

/**
 * reeve_kept_values_open:
 * @self: what is kept
 * @scope: a tenant
 * @digest: as in its ledger
 * @state: (out): whether it can be read
 * @text: (out) (transfer full) (nullable): the value
 * @error: return location
 *
 * Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when what is there is not what was recorded, or an
 * error of the store
 */
gboolean
reeve_kept_values_open (ReeveKeptValues *self, const char *scope, const char *digest,
                        ReeveKeptState *state, char **text, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, scope, REEVE_STORE_KEPT_VALUES, digest, &local);

  *text = NULL;
  if (record != NULL
      && reeve_kept_values_read (self, scope, digest, reeve_record_get_fields (record), state, text,
                                 &local))
    return TRUE;
  if (record == NULL && g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      *state = REEVE_KEPT_MISSING;
      return TRUE;
    }
  g_propagate_prefixed_error (error, g_steal_pointer (&local), "opening what was kept: ");
  return FALSE;
}

/**
 * reeve_kept_values_erase:
 * @self: what is kept
 * @admitted: the right to `compliance.erase`
 * @scope: a tenant
 * @subject: a user of it, or one that was
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full): who, and since when; %NULL with %REEVE_ERROR_NOT_FOUND or an error of
 * the store
 */
JsonObject *
reeve_kept_values_erase (ReeveKeptValues *self, ReeveAdmitted *admitted, const char *scope,
                         const char *subject, GError **error)
{
  g_autofree char *time = NULL;
  JsonObject *shown = NULL;
  gint64 erased_at = 0;
  gboolean ok = reeve_subject_keys_erase (self->keys, admitted, scope, subject, &erased_at, error);

  /* also when it failed in the middle */
  reeve_kept_values_forget (self, scope, subject);
  if (!ok)
    return NULL;
  time = reeve_times_format (erased_at);
  shown = json_object_new ();
  json_object_set_string_member (shown, "user_id", subject);
  json_object_set_string_member (shown, "erased_at", time);
  return shown;
}

/**
 * reeve_kept_values_check:
 * @self: what is kept
 * @keys: (out): under how many keys
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full) (element-type utf8): which of them are damaged and what to do; %NULL
 * with an error of the store
 */
GPtrArray *
reeve_kept_values_check (ReeveKeptValues *self, guint *keys, GError **error)
{
  return reeve_subject_keys_check (self->keys, keys, error);
}
