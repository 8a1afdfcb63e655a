/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The threads that write, shared by all stores. Batches for one store wait in its lane; a thread
 * takes a lane with all that waits in it and makes one durable transaction of it, a savepoint
 * around each batch, so that a refused one takes nothing of the others with it. While it is being
 * synced the next group gathers: load makes groups, not timers. Threads blocked in fdatasync share
 * commits of the file system, which is why there are more of them than cores. */
#include "sqlite-writer.h"

#include "sqlite-batch.h"

#define WRITER_MAX_GROUP        512
#define WRITER_CHECKPOINT_PAGES 1000
#define WRITER_LONGEST_TICK_US  (5 * G_TIME_SPAN_SECOND)

typedef struct
{
  ReeveBatch *batch;
  ReeveBatchFunc func;
  gpointer user_data;
  ReeveBatchResult *result;
  GError *error;
} SqliteWriterJob;

typedef struct
{
  char *scope;
  GQueue jobs;
} SqliteWriterLane;

struct _SqliteWriter
{
  SqliteCache *cache;
  guint max_threads;
  gint64 idle_us;
  gint64 tick_us; /* how often somebody looks for idle stores */
  GMutex mutex;
  GCond ready;
  GHashTable *lanes; /* scope -> SqliteWriterLane: those with something in them or being written */
  GQueue waiting;    /* of SqliteWriterLane that no thread has */
  GPtrArray *threads;
  guint resting;
  gboolean stopping;
  gint64 next_tick;
  SqliteWriterCounts counts;
};

static void
sqlite_writer_lane_free (SqliteWriterLane *lane)
{
  g_free (lane->scope);
  g_free (lane);
}

static void
sqlite_writer_job_free (SqliteWriterJob *job)
{
  reeve_batch_unref (job->batch);
  g_clear_pointer (&job->result, reeve_batch_result_unref);
  g_clear_error (&job->error);
  g_free (job);
}

/* nothing of the group stands: whoever has no reason of its own gets this one */
static void
sqlite_writer_fail_group (GPtrArray *group, const GError *error)
{
  for (guint i = 0; i < group->len; i++)
    {
      SqliteWriterJob *job = g_ptr_array_index (group, i);

      g_clear_pointer (&job->result, reeve_batch_result_unref);
      if (job->error == NULL)
        job->error = g_error_copy (error);
    }
}

/* FALSE: the transaction itself is lost */
static gboolean
sqlite_writer_apply_job (SqliteConnection *connection, SqliteSchema *schema, SqliteWriterJob *job,
                         GError **error)
{
  if (!sqlite_connection_exec (connection, "SAVEPOINT batch", error))
    return FALSE;
  if (reeve_batch_validate (job->batch, &job->error))
    job->result = sqlite_batch_apply (connection, schema, job->batch, &job->error);
  if (job->result == NULL)
    {
      /* some errors, a full disk for one, end the transaction by themselves */
      if (!sqlite_connection_in_transaction (connection)
          || sqlite_connection_is_broken (connection))
        {
          g_propagate_error (error, g_error_copy (job->error));
          return FALSE;
        }
      if (!sqlite_connection_exec (connection, "ROLLBACK TO batch", error))
        return FALSE;
    }
  return sqlite_connection_exec (connection, "RELEASE batch", error);
}

/* all of a group in one transaction; one that changes something is numbered where the store counts
 */
static gboolean
sqlite_writer_run_group (SqliteConnection *connection, SqliteStore *store, GPtrArray *group,
                         gboolean *changed, GError **error)
{
  SqliteTally *tally = sqlite_store_get_tally (store);
  sqlite3 *db = sqlite_connection_get_db (connection);
  sqlite3_int64 before = sqlite3_total_changes64 (db);

  for (guint i = 0; i < group->len; i++)
    if (!sqlite_writer_apply_job (connection, sqlite_store_get_schema (store),
                                  g_ptr_array_index (group, i), error))
      return FALSE;
  *changed = tally != NULL && sqlite3_total_changes64 (db) != before;
  return !*changed || sqlite_tally_write (tally, connection, error);
}

static gboolean
sqlite_writer_apply_group (SqliteConnection *connection, SqliteStore *store, GPtrArray *group,
                           GError **error)
{
  SqliteTally *tally = sqlite_store_get_tally (store);
  gboolean numbered = FALSE;

  if (tally != NULL && !sqlite_tally_renew (tally, error))
    return FALSE;
  if (!sqlite_connection_begin (connection, error))
    return FALSE;
  if (!sqlite_writer_run_group (connection, store, group, &numbered, error))
    {
      sqlite_connection_rollback (connection);
      return FALSE;
    }
  return sqlite_connection_commit (connection, error)
         && (!numbered || sqlite_tally_acknowledge (tally, error));
}

static void
sqlite_writer_answer (GPtrArray *group)
{
  for (guint i = 0; i < group->len; i++)
    {
      SqliteWriterJob *job = g_ptr_array_index (group, i);

      job->func (job->result, job->error, job->user_data);
    }
}

static void
sqlite_writer_write_group (SqliteWriter *self, const char *scope, GPtrArray *group)
{
  g_autoptr (GError) error = NULL;
  SqliteStore *store = sqlite_cache_acquire (self->cache, scope, &error);
  SqliteConnection *connection = NULL;

  if (store != NULL)
    connection = sqlite_store_take_writer (store, FALSE, &error);
  if (connection == NULL || !sqlite_writer_apply_group (connection, store, group, &error))
    sqlite_writer_fail_group (group, error);
  sqlite_writer_answer (group);
  if (connection != NULL)
    {
      /* after the answers: nobody waits for it */
      if (!sqlite_connection_is_broken (connection))
        sqlite_connection_checkpoint (connection, WRITER_CHECKPOINT_PAGES);
      sqlite_store_give_writer (store, connection);
    }
  if (store != NULL)
    sqlite_cache_release (self->cache, scope);
}

/* the lock is held */
static void
sqlite_writer_run_lane (SqliteWriter *self, SqliteWriterLane *lane)
{
  g_autoptr (GPtrArray) group
      = g_ptr_array_new_with_free_func ((GDestroyNotify) sqlite_writer_job_free);

  while (lane->jobs.length > 0 && group->len < WRITER_MAX_GROUP)
    g_ptr_array_add (group, g_queue_pop_head (&lane->jobs));
  self->counts.batches += group->len;
  self->counts.transactions++;
  g_mutex_unlock (&self->mutex);
  sqlite_writer_write_group (self, lane->scope, group);
  g_clear_pointer (&group, g_ptr_array_unref);
  g_mutex_lock (&self->mutex);
  /* to the end of the line: a busy store does not keep the others waiting */
  if (lane->jobs.length > 0)
    g_queue_push_tail (&self->waiting, lane);
  else
    g_hash_table_remove (self->lanes, lane->scope);
}

/* the lock is held; TRUE for the one thread that does it this time */
static gboolean
sqlite_writer_is_tick (SqliteWriter *self)
{
  gint64 now = g_get_monotonic_time ();

  if (now < self->next_tick)
    return FALSE;
  self->next_tick = now + self->tick_us;
  return TRUE;
}

static gpointer
sqlite_writer_thread (gpointer data)
{
  SqliteWriter *self = data;

  g_mutex_lock (&self->mutex);
  while (self->waiting.length > 0 || !self->stopping)
    {
      SqliteWriterLane *lane = g_queue_pop_head (&self->waiting);

      if (lane != NULL)
        {
          sqlite_writer_run_lane (self, lane);
          continue;
        }
      if (sqlite_writer_is_tick (self))
        {
          g_mutex_unlock (&self->mutex);
          sqlite_cache_close_idle (self->cache, self->idle_us);
          g_mutex_lock (&self->mutex);
          continue;
        }
      self->resting++;
      g_cond_wait_until (&self->ready, &self->mutex, self->next_tick);
      self->resting--;
    }
  g_cond_broadcast (&self->ready);
  g_mutex_unlock (&self->mutex);
  return NULL;
}

/* the lock is held */
static void
sqlite_writer_wake (SqliteWriter *self)
{
  /* one that was woken rests until it has the lock again: count lanes, not sleepers */
  if (self->waiting.length > self->resting && self->threads->len < self->max_threads)
    g_ptr_array_add (self->threads, g_thread_new ("store-writer", sqlite_writer_thread, self));
  else
    g_cond_signal (&self->ready);
}

/**
 * sqlite_writer_new:
 * @cache: the open stores
 * @max_threads: most threads; they start when they are needed
 * @idle_us: how long an unused store stays open, µs
 *
 * Returns: (transfer full): a writer
 */
SqliteWriter *
sqlite_writer_new (SqliteCache *cache, guint max_threads, gint64 idle_us)
{
  SqliteWriter *self = g_new0 (SqliteWriter, 1);

  self->cache = cache;
  self->max_threads = max_threads;
  self->idle_us = idle_us;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->ready);
  self->lanes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                       (GDestroyNotify) sqlite_writer_lane_free);
  self->threads = g_ptr_array_new ();
  self->tick_us = MIN (idle_us / 4, WRITER_LONGEST_TICK_US);
  self->next_tick = g_get_monotonic_time () + self->tick_us;
  /* one from the start: it closes idle stores even where nothing is ever written */
  g_ptr_array_add (self->threads, g_thread_new ("store-writer", sqlite_writer_thread, self));
  return self;
}

/**
 * sqlite_writer_free:
 * @self: (transfer full): a writer to which nothing is submitted any more
 *
 * Writes what was submitted, answers it, and ends the threads.
 */
void
sqlite_writer_free (SqliteWriter *self)
{
  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  g_cond_broadcast (&self->ready);
  g_mutex_unlock (&self->mutex);
  for (guint i = 0; i < self->threads->len; i++)
    g_thread_join (g_ptr_array_index (self->threads, i));
  g_ptr_array_unref (self->threads);
  g_hash_table_unref (self->lanes);
  g_cond_clear (&self->ready);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/**
 * sqlite_writer_submit:
 * @self: a writer
 * @batch: (transfer none): a valid batch
 * @func: called once on a thread of the writer
 * @user_data: closure
 *
 * Hands over a batch; never waits for the disk.
 */
void
sqlite_writer_submit (SqliteWriter *self, ReeveBatch *batch, ReeveBatchFunc func,
                      gpointer user_data)
{
  const char *scope = reeve_batch_get_scope (batch);
  SqliteWriterJob *job = g_new0 (SqliteWriterJob, 1);
  g_autoptr (GMutexLocker) locker = NULL;
  SqliteWriterLane *lane = NULL;

  job->batch = reeve_batch_ref (batch);
  job->func = func;
  job->user_data = user_data;
  locker = g_mutex_locker_new (&self->mutex);
  lane = g_hash_table_lookup (self->lanes, scope);
  if (lane == NULL)
    {
      lane = g_new0 (SqliteWriterLane, 1);
      lane->scope = g_strdup (scope);
      g_hash_table_insert (self->lanes, lane->scope, lane);
      g_queue_push_tail (&self->waiting, lane);
      sqlite_writer_wake (self);
    }
  g_queue_push_tail (&lane->jobs, job);
}

/**
 * sqlite_writer_get_counts:
 * @self: a writer
 * @counts: (out): batches and transactions so far
 *
 * Their ratio is the size of the groups.
 */
void
sqlite_writer_get_counts (SqliteWriter *self, SqliteWriterCounts *counts)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  *counts = self->counts;
}
