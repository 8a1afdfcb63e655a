/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Idempotency keys, in the tenant's store: `running` is committed before the request is performed,
 * the answer after, so a retry never performs it twice, not even across a restart. What was running
 * when a host ended stays so until it expires: whether it was done cannot be known here, and doing
 * it again is the one thing that must not happen. A run is not lost that way: its id is chosen with
 * the claim, so that the key leads to it, or says that it was never begun. */
#include "idempotency-private.h"

#include <string.h>

#include "base/digests.h"
#include "base/ids.h"
#include <reeve-json.h>
#include "base/log-task.h"
#include "base/times.h"

#include "idempotency-run.h"
#include "idempotency-seal.h"

#define REEVE_IDEMPOTENCY_SECONDS (24 * 60 * 60)
/* expired answers that one claim clears away */
#define REEVE_IDEMPOTENCY_SWEEP 20

struct _ReeveIdempotencyClaim
{
  char *scope;
  char *id;      /* digest of who, what and the key */
  char *subject; /* (nullable): who asks */
  char *fingerprint;
  char *run_id;                            /* (nullable): of the run that it begins */
  guint8 seal[REEVE_IDEMPOTENCY_SEAL_KEY]; /* of the answer */
};

/* what a claim came to */
typedef struct
{
  ReeveIdempotencyClaim *claim;
  gboolean answered;
  guint status;
  JsonNode *node;
} ReeveIdempotencyFound;

G_DEFINE_FINAL_TYPE (ReeveIdempotency, reeve_idempotency, G_TYPE_OBJECT)

static void
reeve_idempotency_finalize (GObject *object)
{
  ReeveIdempotency *self = REEVE_IDEMPOTENCY (object);

  g_clear_object (&self->store);
  g_clear_pointer (&self->workers, reeve_workers_unref);
  g_clear_pointer (&self->live, g_hash_table_unref);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (reeve_idempotency_parent_class)->finalize (object);
}

static void
reeve_idempotency_class_init (ReeveIdempotencyClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_idempotency_finalize;
}

static void
reeve_idempotency_init (ReeveIdempotency *self)
{
  self->seconds = REEVE_IDEMPOTENCY_SECONDS;
  g_mutex_init (&self->lock);
  self->live = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/**
 * reeve_idempotency_new:
 * @store: where answers are kept
 * @workers: where the store is read
 *
 * Returns: (transfer full): idempotency keys
 */
ReeveIdempotency *
reeve_idempotency_new (ReeveStore *store, ReeveWorkers *workers)
{
  ReeveIdempotency *self = g_object_new (REEVE_TYPE_IDEMPOTENCY, NULL);

  self->store = g_object_ref (store);
  self->workers = reeve_workers_ref (workers);
  return self;
}

/**
 * reeve_idempotency_set_seconds:
 * @self: idempotency keys
 * @seconds: how long an answer is kept
 */
void
reeve_idempotency_set_seconds (ReeveIdempotency *self, guint seconds)
{
  self->seconds = seconds;
}

static void
reeve_idempotency_claim_free (gpointer data)
{
  ReeveIdempotencyClaim *claim = data;

  g_free (claim->scope);
  g_free (claim->id);
  g_free (claim->subject);
  g_free (claim->fingerprint);
  g_free (claim->run_id);
  g_free (claim);
}

/* ---- what this process has under way ---- */

/* FALSE: somebody else here has it. */
static gboolean
reeve_idempotency_take_live (ReeveIdempotency *self, const char *id)
{
  gboolean taken = FALSE;

  g_mutex_lock (&self->lock);
  taken = g_hash_table_add (self->live, g_strdup (id));
  g_mutex_unlock (&self->lock);
  return taken;
}

static void
reeve_idempotency_drop_live (ReeveIdempotency *self, const char *id)
{
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->live, id);
  g_mutex_unlock (&self->lock);
}

static void
reeve_idempotency_found_free (gpointer data)
{
  ReeveIdempotencyFound *found = data;

  g_clear_pointer (&found->claim, reeve_idempotency_claim_free);
  g_clear_pointer (&found->node, json_node_unref);
  g_free (found);
}

static void
reeve_idempotency_add_list (GString *text, const char *const *list)
{
  /* no list is not an empty one */
  g_string_append_c (text, list != NULL ? '+' : '-');
  for (guint i = 0; list != NULL && list[i] != NULL; i++)
    g_string_append_printf (text, "%" G_GSIZE_FORMAT ":%s", strlen (list[i]), list[i]);
  g_string_append_c (text, '\n');
}

/* Which credentials were shown: an answer is only for those it was given to, or one who may do less
 * would be handed what another of the same user made. Without a key it is what bounds them. */
static char *
reeve_idempotency_name_credentials (ReeveCaller *caller)
{
  const char *key_id = reeve_caller_get_key_id (caller);
  const char *const workspace[] = { reeve_caller_get_workspace_id (caller), NULL };
  const char *const method[]
      = { reeve_caller_get_method (caller), key_id != NULL ? key_id : "", NULL };
  GString *text = g_string_new (NULL);

  reeve_idempotency_add_list (text, method);
  if (key_id == NULL)
    reeve_idempotency_add_list (text, reeve_caller_get_roles (caller));
  reeve_idempotency_add_list (text, reeve_caller_get_scopes (caller));
  reeve_idempotency_add_list (text, workspace);
  return g_string_free (text, FALSE);
}

static ReeveIdempotencyClaim *
reeve_idempotency_make_claim (ReeveCaller *caller, const char *operation, const char *key,
                              const char *fingerprint)
{
  ReeveIdempotencyClaim *claim = g_new0 (ReeveIdempotencyClaim, 1);
  const char *user_id = reeve_caller_get_user_id (caller);
  g_autofree char *credentials = reeve_idempotency_name_credentials (caller);
  /* a line end is in none of them but the credentials, whose lists have lengths, and the key, which
   * is the last */
  g_autofree char *text
      = g_strjoin ("\n", reeve_caller_get_home_tenant_id (caller), user_id != NULL ? user_id : "",
                   operation, credentials, key, NULL);
  g_autofree char *sealing = NULL;

  claim->scope = g_strdup (reeve_caller_get_tenant_id (caller));
  claim->id = reeve_digests_sha256_hex (text, strlen (text));
  claim->subject = g_strdup (user_id);
  claim->fingerprint = g_strdup (fingerprint);
  claim->run_id = reeve_idempotency_run_is_begun_by (operation) ? reeve_ids_new ("run") : NULL;
  /* not to be had from the id, which is in the store */
  sealing = g_strconcat ("answer\n", text, NULL);
  reeve_digests_sha256 (sealing, strlen (sealing), claim->seal);
  return claim;
}

static JsonObject *
reeve_idempotency_make_fields (ReeveIdempotency *self, ReeveIdempotencyClaim *claim)
{
  JsonObject *fields = json_object_new ();

  json_object_set_string_member (fields, "fingerprint", claim->fingerprint);
  json_object_set_int_member (fields, "expires_at",
                              reeve_times_now () + self->seconds * REEVE_TIMES_SECOND);
  if (claim->subject != NULL)
    json_object_set_string_member (fields, REEVE_IDEMPOTENCY_SUBJECT, claim->subject);
  if (claim->run_id != NULL)
    json_object_set_string_member (fields, "run_id", claim->run_id);
  return fields;
}

/* ---- claiming ---- */

/* Adds deletions of a few answers that are past their time. A query that fails is no reason to
 * refuse the request. */
static void
reeve_idempotency_sweep (ReeveIdempotency *self, const char *scope, const char *but,
                         ReeveBatch *batch)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (scope, REEVE_STORE_IDEMPOTENCY);
  g_autoptr (ReeveQueryResult) result = NULL;
  GPtrArray *records = NULL;

  reeve_query_filter_int (query, "expires_at", REEVE_FILTER_LT, reeve_times_now ());
  reeve_query_order (query, "expires_at", FALSE);
  reeve_query_limit (query, REEVE_IDEMPOTENCY_SWEEP);
  result = reeve_store_query (self->store, query, NULL);
  if (result == NULL)
    return;
  records = reeve_query_result_get_records (result);
  for (guint i = 0; i < records->len; i++)
    {
      const char *id = reeve_record_get_id (g_ptr_array_index (records, i));

      if (strcmp (id, but) != 0)
        reeve_batch_delete (batch, REEVE_STORE_IDEMPOTENCY, id, REEVE_REVISION_ANY);
    }
}

/* Commits `running`; *@taken says that somebody else has the key. */
static gboolean
reeve_idempotency_try (ReeveIdempotency *self, ReeveIdempotencyClaim *claim, gint64 revision,
                       gboolean *taken, GError **error)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (claim->scope);
  g_autoptr (JsonObject) fields = reeve_idempotency_make_fields (self, claim);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) local = NULL;

  *taken = FALSE;
  reeve_batch_put (batch, REEVE_STORE_IDEMPOTENCY, claim->id, fields, revision);
  reeve_idempotency_sweep (self, claim->scope, claim->id, batch);
  result = reeve_store_commit (self->store, batch, &local);
  if (result != NULL)
    return TRUE;
  *taken = g_error_matches (local, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS)
           || g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT)
           || g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* What an earlier request left under the key. */
static gboolean
reeve_idempotency_read_answer (ReeveIdempotencyClaim *claim, JsonObject *fields,
                               ReeveIdempotencyFound *found, GError **error)
{
  const char *sealed = reeve_json_get_string (fields, "result", NULL);
  g_autofree char *text = NULL;

  if (g_strcmp0 (reeve_json_get_string (fields, "fingerprint", NULL), claim->fingerprint) != 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_IDEMPOTENCY_MISMATCH,
                           "the idempotency key was used for another request");
      return FALSE;
    }
  found->status = (guint) reeve_json_get_int (fields, "status", 0);
  if (found->status == 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                           "the request with this idempotency key is still running, or its host "
                           "ended in the middle of it");
      return FALSE;
    }
  if (reeve_json_get_boolean (fields, REEVE_IDEMPOTENCY_ERASED, FALSE))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                           "the request with this idempotency key was done, and is not done again; "
                           "what was answered was erased with who had asked");
      return FALSE;
    }
  found->answered = TRUE;
  if (sealed == NULL)
    return TRUE;
  text = reeve_idempotency_seal_open (claim->seal, claim->id, sealed, error);
  if (text != NULL)
    found->node = reeve_json_parse_strict (text, strlen (text), error);
  return found->node != NULL;
}

/* What stands under a key that was claimed before. @alone: nobody else here has it, so what is
 * running was begun by a process that has ended, or had not ended when this one left it. */
static gboolean
reeve_idempotency_read (ReeveIdempotency *self, ReeveIdempotencyFound *found, gboolean alone,
                        GError **error)
{
  g_autoptr (ReeveRecord) record = reeve_store_get (
      self->store, found->claim->scope, REEVE_STORE_IDEMPOTENCY, found->claim->id, error);
  JsonObject *fields = record != NULL ? reeve_record_get_fields (record) : NULL;
  const char *run_id = reeve_json_get_string (fields, "run_id", NULL);
  gboolean absent = FALSE;
  gboolean taken = FALSE;

  if (record == NULL)
    return FALSE;
  if (alone && reeve_json_get_int (fields, "expires_at", 0) < reeve_times_now ())
    return reeve_idempotency_try (self, found->claim, reeve_record_get_revision (record), &taken,
                                  error);
  if (run_id == NULL || reeve_json_get_int (fields, "status", 0) != 0
      || g_strcmp0 (reeve_json_get_string (fields, "fingerprint", NULL), found->claim->fingerprint)
             != 0)
    return reeve_idempotency_read_answer (found->claim, fields, found, error);
  found->node = reeve_idempotency_run_read (self->store, found->claim->scope, run_id,
                                            &found->status, &absent, error);
  found->answered = found->node != NULL;
  if (found->answered)
    return TRUE;
  if (!absent)
    return FALSE;
  g_clear_error (error);
  if (alone)
    return reeve_idempotency_try (self, found->claim, reeve_record_get_revision (record), &taken,
                                  error);
  return reeve_idempotency_read_answer (found->claim, fields, found, error);
}

static gboolean
reeve_idempotency_resolve (ReeveIdempotency *self, ReeveIdempotencyFound *found, gboolean alone,
                           GError **error)
{
  g_autoptr (GError) local = NULL;
  gboolean taken = FALSE;

  if (!alone)
    return reeve_idempotency_read (self, found, FALSE, error);
  if (reeve_idempotency_try (self, found->claim, REEVE_REVISION_ABSENT, &taken, &local))
    return TRUE;
  if (!taken)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  return reeve_idempotency_read (self, found, TRUE, error);
}

static void
reeve_idempotency_work (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ReeveIdempotencyFound *found = g_new0 (ReeveIdempotencyFound, 1);
  ReeveIdempotencyClaim *claim = data;
  GError *error = NULL;
  gboolean alone = reeve_idempotency_take_live (source, claim->id);
  gboolean good = FALSE;

  found->claim = g_new0 (ReeveIdempotencyClaim, 1);
  found->claim->scope = g_strdup (claim->scope);
  found->claim->id = g_strdup (claim->id);
  found->claim->subject = g_strdup (claim->subject);
  found->claim->fingerprint = g_strdup (claim->fingerprint);
  found->claim->run_id = g_strdup (claim->run_id);
  memcpy (found->claim->seal, claim->seal, sizeof claim->seal);
  good = reeve_idempotency_resolve (source, found, alone, &error);
  /* it is this process's as long as the claim is */
  if (alone && (!good || found->answered))
    reeve_idempotency_drop_live (source, claim->id);
  if (good)
    {
      g_task_return_pointer (task, found, reeve_idempotency_found_free);
      return;
    }
  reeve_idempotency_found_free (found);
  /* gone between the two looks at it: somebody released it, and may claim it again */
  if (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    error->code = REEVE_ERROR_CONFLICT;
  g_task_return_error (task, error);
}

/**
 * reeve_idempotency_claim_async:
 * @self: idempotency keys
 * @caller: who asks; keys are his own, and of the credentials that he showed
 * @operation: what he asks for
 * @key: the Idempotency-Key
 * @fingerprint: digest of the request
 * @callback: called in the caller's thread-default context
 * @user_data: for @callback
 *
 * Asks for the right to perform a request. Any thread; does not block.
 */
void
reeve_idempotency_claim_async (ReeveIdempotency *self, ReeveCaller *caller, const char *operation,
                               const char *key, const char *fingerprint,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = reeve_log_task_new (self, NULL, callback, user_data);
  gsize length = strlen (key);

  g_task_set_source_tag (task, reeve_idempotency_claim_async);
  if (length == 0 || length > REEVE_IDEMPOTENCY_MAX_KEY)
    {
      g_task_return_new_error (task, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                               "an idempotency key has 1 to %d bytes", REEVE_IDEMPOTENCY_MAX_KEY);
      return;
    }
  g_task_set_task_data (task, reeve_idempotency_make_claim (caller, operation, key, fingerprint),
                        reeve_idempotency_claim_free);
  reeve_workers_run_task (self->workers, task, reeve_idempotency_work);
}

/**
 * reeve_idempotency_claim_finish:
 * @self: idempotency keys
 * @result: what the callback got
 * @status: (out): of a stored answer
 * @node: (out) (transfer full) (nullable): a stored answer
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the right to perform the request; %NULL without an error
 * when there is a stored answer
 */
ReeveIdempotencyClaim *
reeve_idempotency_claim_finish (ReeveIdempotency *self, GAsyncResult *result, guint *status,
                                JsonNode **node, GError **error)
{
  ReeveIdempotencyFound *found = NULL;
  ReeveIdempotencyClaim *claim = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_idempotency_claim_async), NULL);
  *status = 0;
  *node = NULL;
  found = g_task_propagate_pointer (G_TASK (result), error);
  if (found == NULL)
    return NULL;
  if (found->answered)
    {
      *status = found->status;
      *node = g_steal_pointer (&found->node);
    }
  else
    claim = g_steal_pointer (&found->claim);
  reeve_idempotency_found_free (found);
  return claim;
}

/* ---- ending a claim ---- */

static void
reeve_idempotency_on_stored (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  ReeveIdempotency *self = g_task_get_source_object (task);
  g_autoptr (ReeveBatchResult) done = NULL;
  GError *error = NULL;

  done = reeve_store_commit_finish (REEVE_STORE (source), result, &error);
  reeve_idempotency_drop_live (self, g_task_get_task_data (task));
  if (done != NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static gboolean
reeve_idempotency_add_answer (ReeveIdempotencyClaim *claim, JsonNode *result, JsonObject *fields,
                              GError **error)
{
  g_autofree char *text = reeve_json_text (result);
  g_autofree char *sealed = reeve_idempotency_seal_close (claim->seal, claim->id, text, error);

  if (sealed == NULL)
    return FALSE;
  json_object_set_string_member (fields, "result", sealed);
  return TRUE;
}

/**
 * reeve_idempotency_store:
 * @self: idempotency keys
 * @claim: (transfer full): the right under which the request was performed
 * @status: its status
 * @result: (nullable): its answer
 * @callback: (nullable): called when the answer is durable
 * @user_data: for @callback
 *
 * Keeps an answer.
 */
void
reeve_idempotency_store (ReeveIdempotency *self, ReeveIdempotencyClaim *claim, guint status,
                         JsonNode *result, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = reeve_log_task_new (self, NULL, callback, user_data);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (claim->scope);
  g_autoptr (JsonObject) fields = reeve_idempotency_make_fields (self, claim);
  GError *error = NULL;

  g_task_set_source_tag (task, reeve_idempotency_store);
  g_task_set_task_data (task, g_strdup (claim->id), g_free);
  json_object_set_int_member (fields, "status", status);
  if (result != NULL && !reeve_idempotency_add_answer (claim, result, fields, &error))
    {
      reeve_idempotency_drop_live (self, claim->id);
      g_task_return_error (task, error);
      g_object_unref (task);
      reeve_idempotency_claim_free (claim);
      return;
    }
  reeve_batch_put (batch, REEVE_STORE_IDEMPOTENCY, claim->id, fields, REEVE_REVISION_ANY);
  reeve_store_commit_async (self->store, batch, NULL, reeve_idempotency_on_stored, task);
  reeve_idempotency_claim_free (claim);
}

/**
 * reeve_idempotency_store_finish:
 * @self: idempotency keys
 * @result: what the callback got
 * @error: return location
 *
 * Returns: %FALSE with an error of the store
 */
gboolean
reeve_idempotency_store_finish (ReeveIdempotency *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_idempotency_store), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
reeve_idempotency_on_released (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveBatchResult) done
      = reeve_store_commit_finish (REEVE_STORE (source), result, &error);

  if (done == NULL)
    g_warning ("releasing an idempotency key: %s", error->message);
}

/**
 * reeve_idempotency_release:
 * @self: idempotency keys
 * @claim: (transfer full): a right that was not used
 *
 * Forgets the key: the request was refused before any effect, so it may be tried again.
 */
void
reeve_idempotency_release (ReeveIdempotency *self, ReeveIdempotencyClaim *claim)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (claim->scope);

  reeve_batch_delete (batch, REEVE_STORE_IDEMPOTENCY, claim->id, REEVE_REVISION_ANY);
  reeve_store_commit_async (self->store, batch, NULL, reeve_idempotency_on_released, NULL);
  /* the next claim is committed behind this */
  reeve_idempotency_drop_live (self, claim->id);
  reeve_idempotency_claim_free (claim);
}

/**
 * reeve_idempotency_leave:
 * @self: idempotency keys
 * @claim: (transfer full): a right to begin a run
 *
 * Gives up the right without an answer: who asks again under the key is led to the run, if it was
 * begun, and may begin it, if not.
 */
void
reeve_idempotency_leave (ReeveIdempotency *self, ReeveIdempotencyClaim *claim)
{
  reeve_idempotency_drop_live (self, claim->id);
  reeve_idempotency_claim_free (claim);
}

/**
 * reeve_idempotency_get_run_id:
 * @claim: a right
 *
 * Returns: (transfer none) (nullable): the id that the run must have which is begun under it
 */
const char *
reeve_idempotency_get_run_id (ReeveIdempotencyClaim *claim)
{
  return claim->run_id;
}
