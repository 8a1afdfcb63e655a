/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A key is made of two random halves: one in the tenant's store, sealed with it, and one in the
 * folder of keys. Erasing says so in that folder, destroys the second, which no backup of stores
 * has, and takes the first out of the store. The record stays, without its half, with the
 * generation that was erased and the next one: what comes later gets another key, and for what was
 * before none is made again. A half that is not whole and was not erased is damage: an error, and
 * never a new key, under which nobody would see that all of before is lost. No key is kept in
 * memory, for a cache would be one more place where an erased one lives on. */
#include "subject-keys-private.h"

#include <string.h>

#include "base/digests.h"
#include "base/ids.h"
#include "base/times.h"

#define REEVE_SUBJECT_KEYS_LABEL "reeve-subject-key/1"
/* tries while others change the record: each of them does so once */
#define REEVE_SUBJECT_KEYS_TRIES 64

G_DEFINE_FINAL_TYPE (ReeveSubjectKeys, reeve_subject_keys, G_TYPE_OBJECT)

static void
reeve_subject_keys_finalize (GObject *object)
{
  ReeveSubjectKeys *self = REEVE_SUBJECT_KEYS (object);

  g_clear_object (&self->store);
  g_free (self->folder);
  g_hash_table_unref (self->changing);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->cond);
  G_OBJECT_CLASS (reeve_subject_keys_parent_class)->finalize (object);
}

static void
reeve_subject_keys_class_init (ReeveSubjectKeysClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_subject_keys_finalize;
}

static void
reeve_subject_keys_init (ReeveSubjectKeys *self)
{
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  self->changing = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/**
 * reeve_subject_keys_new:
 * @store: where one half of each key lies
 * @folder: of keys, where the other does
 *
 * Returns: (transfer full): keys of subjects
 */
ReeveSubjectKeys *
reeve_subject_keys_new (ReeveStore *store, const char *folder)
{
  ReeveSubjectKeys *self = g_object_new (REEVE_TYPE_SUBJECT_KEYS, NULL);

  self->store = g_object_ref (store);
  self->folder = g_strdup (folder);
  return self;
}

/* ---- records ---- */

/**
 * reeve_subject_keys_take:
 * @record: of the store
 * @found: (out caller-allocates): what it says; to be wiped
 */
void
reeve_subject_keys_take (ReeveRecord *record, ReeveSubjectRecord *found)
{
  JsonObject *fields = reeve_record_get_fields (record);
  const char *half = reeve_json_get_string (fields, "half", NULL);
  gint64 generation = reeve_json_get_int (fields, "generation", 0);
  gint64 erased = reeve_json_get_int (fields, "erased", 0);

  *found = (ReeveSubjectRecord){ .revision = reeve_record_get_revision (record),
                                 .generation = (guint) CLAMP (generation, 1, G_MAXINT),
                                 .erased = (guint) CLAMP (erased, 0, G_MAXINT),
                                 .created_at = reeve_json_get_int (fields, "created_at", 0),
                                 .erased_at = reeve_json_get_int (fields, "erased_at", 0) };
  if (generation != (gint64) found->generation)
    found->damage = "it has no generation";
  else if (half != NULL)
    found->alive = reeve_digests_from_hex (half, found->half, sizeof found->half, NULL);
  if (found->damage == NULL && half != NULL && !found->alive)
    found->damage = "its half of the key is damaged";
  else if (found->damage == NULL && half == NULL
           && (found->erased == 0 || found->generation != found->erased + 1))
    found->damage = "its half of the key is missing, and was never erased";
}

/**
 * reeve_subject_keys_blame:
 * @scope: a tenant
 * @subject: whose record it is
 * @damage: what is wrong
 * @error: return location
 *
 * Returns: %FALSE
 */
gboolean
reeve_subject_keys_blame (const char *scope, const char *subject, const char *damage,
                          GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "record " REEVE_STORE_SUBJECTS "/%s in the store of %s: %s: put the store back from "
               "a backup, or erase the user (reevectl compliance erase %s), after which what was "
               "kept of him cannot be read",
               subject, scope, damage, subject);
  return FALSE;
}

/* What is damaged is found, and is not an error yet. */
static gboolean
reeve_subject_keys_read (ReeveSubjectKeys *self, const char *scope, const char *subject,
                         ReeveSubjectRecord *found, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, scope, REEVE_STORE_SUBJECTS, subject, &local);

  *found = (ReeveSubjectRecord){ .revision = REEVE_REVISION_ABSENT, .generation = 1 };
  if (record != NULL)
    reeve_subject_keys_take (record, found);
  else if (!g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_subject_keys_write (ReeveSubjectKeys *self, const char *scope, const char *subject,
                          const ReeveSubjectRecord *record, GError **error)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (scope);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = json_object_new ();
  char half[2 * REEVE_SUBJECT_KEYS_SIZE + 1];

  json_object_set_int_member (fields, "generation", record->generation);
  json_object_set_int_member (fields, "created_at",
                              record->created_at != 0 ? record->created_at : reeve_times_now ());
  if (record->erased_at != 0)
    json_object_set_int_member (fields, "erased_at", record->erased_at);
  /* of one that is alive it would say that its half may be missing */
  if (record->erased != 0 && !record->alive)
    json_object_set_int_member (fields, "erased", record->erased);
  if (record->alive)
    {
      reeve_digests_write_hex (record->half, sizeof record->half, half);
      json_object_set_string_member (fields, "half", half);
      explicit_bzero (half, sizeof half);
    }
  reeve_batch_put (batch, REEVE_STORE_SUBJECTS, subject, fields, record->revision);
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL;
}

/* Somebody else was quicker. */
static gboolean
reeve_subject_keys_is_overtaken (const GError *error)
{
  return g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CONFLICT)
         || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS)
         || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

/* HMAC-SHA-256 by the half in the folder, of the half in the store and whose it is */
static void
reeve_subject_keys_derive (const char *scope, const char *subject, const ReeveSubjectRecord *record,
                           const guint8 share[REEVE_SUBJECT_SHARES_SIZE], ReeveSubjectKey *key)
{
  /* a scope has no line end, and the subject is the last */
  g_autofree char *bound = g_strdup_printf (REEVE_SUBJECT_KEYS_LABEL "\n%u\n%s\n%s",
                                            record->generation, scope, subject);
  guint length = (guint) strlen (bound);
  /* as large as it gets: no copy of the half stays behind where it grew */
  g_autoptr (GByteArray) text = g_byte_array_sized_new (REEVE_SUBJECT_KEYS_SIZE + length);

  g_byte_array_append (text, record->half, REEVE_SUBJECT_KEYS_SIZE);
  g_byte_array_append (text, (const guint8 *) bound, length);
  reeve_digests_hmac_sha256 (share, REEVE_SUBJECT_SHARES_SIZE, text->data, text->len, key->key);
  explicit_bzero (text->data, text->len);
  key->generation = record->generation;
  key->revision = record->revision;
}

/* ---- one change at a time ---- */

/* Waits until nobody makes or erases the subject's key; @enter: then does. Returns whether it had
 * to wait. */
static gboolean
reeve_subject_keys_wait (ReeveSubjectKeys *self, const char *scope, const char *subject,
                         gboolean enter)
{
  g_autofree char *name = g_strjoin ("\n", scope, subject, NULL);
  gboolean waited = FALSE;

  g_mutex_lock (&self->mutex);
  while (g_hash_table_contains (self->changing, name))
    {
      waited = TRUE;
      g_cond_wait (&self->cond, &self->mutex);
    }
  if (enter)
    g_hash_table_add (self->changing, g_steal_pointer (&name));
  g_mutex_unlock (&self->mutex);
  return waited;
}

static void
reeve_subject_keys_leave (ReeveSubjectKeys *self, const char *scope, const char *subject)
{
  g_autofree char *name = g_strjoin ("\n", scope, subject, NULL);

  g_mutex_lock (&self->mutex);
  g_hash_table_remove (self->changing, name);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->mutex);
}

/* ---- making and finding ---- */

/* The key of a record as it stands. */
static gboolean
reeve_subject_keys_open (ReeveSubjectKeys *self, const char *scope, const char *subject,
                         const ReeveSubjectRecord *record, ReeveSubjectKey *key, GError **error)
{
  guint8 share[REEVE_SUBJECT_SHARES_SIZE];

  if (!reeve_subject_shares_load (self->folder, scope, subject, record->generation, share, error))
    return FALSE;
  reeve_subject_keys_derive (scope, subject, record, share, key);
  explicit_bzero (share, sizeof share);
  return TRUE;
}

/* Is anything kept under that generation? The newest tells. */
static gboolean
reeve_subject_keys_has_kept (ReeveSubjectKeys *self, const char *scope, const char *subject,
                             guint generation, gboolean *has, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (scope, REEVE_STORE_KEPT_VALUES);
  g_autoptr (ReeveQueryResult) result = NULL;
  GPtrArray *records = NULL;

  reeve_query_filter_string (query, "subject", REEVE_FILTER_EQ, subject);
  reeve_query_order (query, "created_at", TRUE);
  reeve_query_limit (query, 1);
  result = reeve_store_query (self->store, query, error);
  if (result == NULL)
    return FALSE;
  records = reeve_query_result_get_records (result);
  *has = records->len > 0
         && reeve_json_get_int (reeve_record_get_fields (records->pdata[0]), "generation", 0)
                >= (gint64) generation;
  return TRUE;
}

/* The record does not know the generation that is to be begun. Does the store all the same? Then
 * the record was lost, and what is kept with it. *again: somebody else has begun it meanwhile. */
static gboolean
reeve_subject_keys_check_new (ReeveSubjectKeys *self, const char *scope, const char *subject,
                              const ReeveSubjectRecord *record, gboolean *again, GError **error)
{
  ReeveSubjectRecord now;
  gboolean has = FALSE;

  if (!reeve_subject_keys_has_kept (self, scope, subject, record->generation, &has, error))
    return FALSE;
  if (!has)
    return TRUE;
  if (!reeve_subject_keys_read (self, scope, subject, &now, error))
    return FALSE;
  explicit_bzero (now.half, sizeof now.half);
  *again = now.revision != record->revision;
  return *again
         || reeve_subject_keys_blame (scope, subject,
                                      "it is lost, and values are kept under its key", error);
}

/* Both halves anew. The one in the folder is durable before the record says that it is. *again: it
 * is there, or somebody else was quicker. */
static void
reeve_subject_keys_begin (ReeveSubjectKeys *self, const char *scope, const char *subject,
                          ReeveSubjectRecord *record, gboolean *again, GError **error)
{
  guint8 share[REEVE_SUBJECT_SHARES_SIZE];
  gboolean found = FALSE;
  g_autoptr (GError) local = NULL;

  if (!reeve_subject_shares_make (self->folder, scope, subject, record->generation, share, &found,
                                  &local))
    {
      /* made by another, and erased already; or another host makes it now */
      *again = g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND)
               || g_error_matches (local, REEVE_ERROR, REEVE_ERROR_BUSY);
    }
  else
    {
      explicit_bzero (share, sizeof share);
      /* one that is there is of a crash, or of another who makes it now */
      if ((found || record->revision == REEVE_REVISION_ABSENT)
          && (!reeve_subject_keys_check_new (self, scope, subject, record, again, error) || *again))
        return;
      reeve_ids_fill_random (record->half, sizeof record->half);
      record->alive = TRUE;
      *again = reeve_subject_keys_write (self, scope, subject, record, &local)
               || reeve_subject_keys_is_overtaken (local);
    }
  if (!*again)
    g_propagate_error (error, g_steal_pointer (&local));
}

/* The key of a record that has one. *erased: it was destroyed. */
static gboolean
reeve_subject_keys_open_alive (ReeveSubjectKeys *self, const char *scope, const char *subject,
                               ReeveSubjectRecord *record, ReeveSubjectKey *key, gboolean *erased,
                               GError **error)
{
  g_autoptr (GError) local = NULL;
  gboolean ok = reeve_subject_keys_open (self, scope, subject, record, key, &local);

  explicit_bzero (record->half, sizeof record->half);
  *erased = g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  if (!ok && !*erased)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}

/* One try. */
static gboolean
reeve_subject_keys_try (ReeveSubjectKeys *self, const char *scope, const char *subject,
                        ReeveSubjectKey *key, gboolean *again, GError **error)
{
  ReeveSubjectRecord record;
  gboolean erased = FALSE;

  *again = FALSE;
  if (!reeve_subject_keys_read (self, scope, subject, &record, error))
    return FALSE;
  if (record.damage != NULL)
    return reeve_subject_keys_blame (scope, subject, record.damage, error);
  if (record.alive)
    {
      if (reeve_subject_keys_open_alive (self, scope, subject, &record, key, &erased, error))
        return TRUE;
      if (!erased)
        return FALSE;
      /* it is being erased just now, or was */
      *again = reeve_subject_keys_wait (self, scope, subject, FALSE);
      if (*again)
        return FALSE;
      /* its erasure was cut off between the two halves, or the store is from before it */
      if (!reeve_subject_shares_destroy (self->folder, scope, subject, record.generation, error))
        return FALSE;
      record.erased = record.generation++;
      record.erased_at = reeve_times_now ();
    }
  /* a store from before an erasure knows less than the folder */
  while (reeve_subject_shares_is_erased (self->folder, scope, subject, record.generation))
    record.erased = record.generation++;
  /* two who write one file at once spoil it */
  *again = reeve_subject_keys_wait (self, scope, subject, TRUE);
  if (!*again)
    reeve_subject_keys_begin (self, scope, subject, &record, again, error);
  reeve_subject_keys_leave (self, scope, subject);
  explicit_bzero (record.half, sizeof record.half);
  return FALSE;
}

/**
 * reeve_subject_keys_make:
 * @self: keys of subjects
 * @scope: a tenant
 * @subject: a user of it
 * @key: (out caller-allocates): his key; to be wiped
 * @error: return location
 *
 * Blocks.
 *
 * Returns: %FALSE with an error of the store or of the folder of keys
 */
gboolean
reeve_subject_keys_make (ReeveSubjectKeys *self, const char *scope, const char *subject,
                         ReeveSubjectKey *key, GError **error)
{
  /* a half for somebody of a tenant that is gone would be left behind */
  if (!reeve_store_has_scope (self->store, scope))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no tenant %s", scope);
      return FALSE;
    }
  for (guint i = 0; i < REEVE_SUBJECT_KEYS_TRIES; i++)
    {
      gboolean again = FALSE;

      if (reeve_subject_keys_try (self, scope, subject, key, &again, error))
        return TRUE;
      if (!again)
        {
          g_prefix_error (error, "making the key of subject %s: ", subject);
          return FALSE;
        }
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the key of subject %s changes too often",
               subject);
  return FALSE;
}

/**
 * reeve_subject_keys_find:
 * @self: keys of subjects
 * @scope: a tenant
 * @subject: a user of it
 * @generation: which of his keys
 * @key: (out caller-allocates): it; to be wiped
 * @error: return location
 *
 * Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND when it was destroyed, %REEVE_ERROR_CORRUPT when it
 * was not and half of it is damaged, or another error
 */
gboolean
reeve_subject_keys_find (ReeveSubjectKeys *self, const char *scope, const char *subject,
                         guint generation, ReeveSubjectKey *key, GError **error)
{
  ReeveSubjectRecord record;
  gboolean ok = FALSE;

  if (!reeve_subject_keys_read (self, scope, subject, &record, error))
    return FALSE;
  if (record.generation > generation
      || reeve_subject_shares_is_erased (self->folder, scope, subject, generation))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "the key of subject %s was destroyed",
                 subject);
  else if (record.damage != NULL)
    reeve_subject_keys_blame (scope, subject, record.damage, error);
  else if (!record.alive || record.generation < generation)
    reeve_subject_keys_blame (scope, subject, "it does not have the key that a value is kept under",
                              error);
  else
    ok = reeve_subject_keys_open (self, scope, subject, &record, key, error);
  explicit_bzero (record.half, sizeof record.half);
  return ok;
}

/* ---- erasing ---- */

/* A user, be he deleted, or whoever something was kept of. */
static gboolean
reeve_subject_keys_is_known (ReeveSubjectKeys *self, const char *scope, const char *subject,
                             const ReeveSubjectRecord *record, GError **error)
{
  gboolean exists = FALSE;

  if (record->revision != REEVE_REVISION_ABSENT)
    return TRUE;
  if (!reeve_store_exists (self->store, scope, REEVE_STORE_USERS, subject, &exists, error))
    return FALSE;
  if (!exists)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING, "users");
  return exists;
}

/* All that the folder has of him from the record's generation on: a store from before an erasure
 * knows less. The record gets the next one. */
static gboolean
reeve_subject_keys_destroy (ReeveSubjectKeys *self, const char *scope, const char *subject,
                            ReeveSubjectRecord *record, GError **error)
{
  do
    {
      if (!reeve_subject_shares_destroy (self->folder, scope, subject, record->generation, error))
        return FALSE;
      record->erased = record->generation++;
    }
  while (reeve_subject_shares_exists (self->folder, scope, subject, record->generation));
  return TRUE;
}

/* One try. What the folder says comes first, then its half goes: that is the erasure, and what is
 * left of it after a crash is a half that counts for nothing, or a record without its other half.
 */
static gboolean
reeve_subject_keys_try_erase (ReeveSubjectKeys *self, ReeveAdmitted *admitted, const char *scope,
                              const char *subject, gint64 *erased_at, GError **error)
{
  ReeveSubjectRecord record;

  reeve_admitted_expect (admitted, REEVE_SUBJECT_KEYS_OPERATION, subject, NULL);
  if (!reeve_subject_keys_read (self, scope, subject, &record, error))
    return FALSE;
  explicit_bzero (record.half, sizeof record.half);
  if (!reeve_subject_keys_is_known (self, scope, subject, &record, error))
    return FALSE;
  if (!reeve_admitted_is_consumed (admitted))
    reeve_admitted_consume_exactly (admitted, REEVE_SUBJECT_KEYS_OPERATION, subject, NULL);
  if (record.damage == NULL && !record.alive && record.revision != REEVE_REVISION_ABSENT)
    {
      *erased_at = record.erased_at;
      /* also where another host has erased him, whose folder of keys is another one */
      return reeve_subject_shares_destroy (self->folder, scope, subject, record.erased, error);
    }
  if (!reeve_subject_keys_destroy (self, scope, subject, &record, error))
    return FALSE;
  record.erased_at = *erased_at = reeve_times_now ();
  record.alive = FALSE;
  return reeve_subject_keys_write (self, scope, subject, &record, error);
}

/**
 * reeve_subject_keys_erase:
 * @self: keys of subjects
 * @admitted: the right to `compliance.erase` of @subject
 * @scope: a tenant
 * @subject: a user of it, or one that was
 * @erased_at: (out): since when nothing of him can be read, µs since the epoch
 * @error: return location
 *
 * Destroys his key. Who has been erased and had nothing kept since is left alone. Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND, or an error of the store or of the folder of keys;
 * it is to be tried again then
 */
gboolean
reeve_subject_keys_erase (ReeveSubjectKeys *self, ReeveAdmitted *admitted, const char *scope,
                          const char *subject, gint64 *erased_at, GError **error)
{
  g_autoptr (GError) local = NULL;
  gboolean ok = FALSE;
  gboolean again = TRUE;

  reeve_subject_keys_wait (self, scope, subject, TRUE);
  for (guint i = 0; i < REEVE_SUBJECT_KEYS_TRIES && again; i++)
    {
      g_clear_error (&local);
      ok = reeve_subject_keys_try_erase (self, admitted, scope, subject, erased_at, &local);
      /* NOT_FOUND before anything was consumed is the answer, and no other who was quicker */
      again
          = !ok && reeve_subject_keys_is_overtaken (local) && reeve_admitted_is_consumed (admitted);
    }
  reeve_subject_keys_leave (self, scope, subject);
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}

/**
 * reeve_subject_keys_erase_scope:
 * @self: keys of subjects
 * @scope: a tenant whose store is gone
 * @error: return location
 *
 * Returns: %FALSE with an error; it is to be tried again then
 */
gboolean
reeve_subject_keys_erase_scope (ReeveSubjectKeys *self, const char *scope, GError **error)
{
  return reeve_subject_shares_destroy_scope (self->folder, scope, error);
}

/**
 * reeve_subject_keys_recover:
 * @self: keys of subjects
 * @error: return location
 *
 * Destroys what an erasure before a crash had said it would. The record follows at its next use.
 *
 * Returns: %FALSE with an error of the folder of keys
 */
gboolean
reeve_subject_keys_recover (ReeveSubjectKeys *self, GError **error)
{
  return reeve_subject_shares_recover (self->folder, error);
}
