/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The door pulls: nothing is read for a client that does not take what was read before, and no
 * thread is held for one that is slow. */
#include "call-source.h"

#include <reeve-plugin-1.h>

#include "base/log-task.h"

/* how long one piece may be looked for before another gets the worker */
#define REEVE_CALL_SOURCE_TURN_US (50 * G_TIME_SPAN_MILLISECOND)
#define REEVE_CALL_SOURCE_WAIT_MS 50

struct _ReeveCallSource
{
  gatomicrefcount references;
  char *media_type;
  char *file_name;
  ReeveCallSourceNext next;
  gpointer user_data;
  GDestroyNotify destroy;
  ReeveAdmissionSent *sent; /* (nullable) */
};

/* one reading under way */
typedef struct
{
  ReeveCallSource *source;
  ReeveWorkers *workers;
  GBytes *bytes;
} ReeveCallSourceRead;

static void reeve_call_source_push (GTask *task);

/**
 * reeve_call_source_new:
 * @media_type: of all bytes together
 * @file_name: (nullable): a name under which they may be kept
 * @next: gives the next bytes
 * @user_data: for @next
 * @destroy: (nullable): frees @user_data
 *
 * Returns: (transfer full): a source
 */
ReeveCallSource *
reeve_call_source_new (const char *media_type, const char *file_name, ReeveCallSourceNext next,
                       gpointer user_data, GDestroyNotify destroy)
{
  ReeveCallSource *self = g_new0 (ReeveCallSource, 1);

  g_atomic_ref_count_init (&self->references);
  self->media_type = g_strdup (media_type);
  self->file_name = g_strdup (file_name);
  self->next = next;
  self->user_data = user_data;
  self->destroy = destroy;
  return self;
}

ReeveCallSource *
reeve_call_source_ref (ReeveCallSource *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/* It is over. */
static void
reeve_call_source_end (ReeveCallSource *self, const GError *error)
{
  if (self->sent != NULL)
    reeve_admission_sent_end (g_steal_pointer (&self->sent), error);
}

void
reeve_call_source_unref (ReeveCallSource *self)
{
  g_autoptr (GError) left = NULL;

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  left = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CANCELLED, "nobody reads on");
  reeve_call_source_end (self, left);
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_free (self->media_type);
  g_free (self->file_name);
  g_free (self);
}

/**
 * reeve_call_source_take_sent:
 * @self: a source of which nothing was read as yet
 * @sent: (transfer full): is told each piece, and the end
 */
void
reeve_call_source_take_sent (ReeveCallSource *self, ReeveAdmissionSent *sent)
{
  self->sent = sent;
}

const char *
reeve_call_source_get_media_type (ReeveCallSource *self)
{
  return self->media_type;
}

const char *
reeve_call_source_get_file_name (ReeveCallSource *self)
{
  return self->file_name;
}

static void
reeve_call_source_read_free (ReeveCallSourceRead *read)
{
  reeve_call_source_unref (read->source);
  reeve_workers_unref (read->workers);
  g_clear_pointer (&read->bytes, g_bytes_unref);
  g_free (read);
}

static gboolean
reeve_call_source_try_again (gpointer data)
{
  reeve_call_source_push (data);
  return G_SOURCE_REMOVE;
}

static void
reeve_call_source_return (GTask *task, const GError *error)
{
  ReeveCallSourceRead *read = g_task_get_task_data (task);

  if (error != NULL)
    g_task_return_error (task, g_error_copy (error));
  else
    g_task_return_pointer (task, g_steal_pointer (&read->bytes), (GDestroyNotify) g_bytes_unref);
  g_object_unref (task);
}

static void
reeve_call_source_note (ReeveCallSource *self, GBytes *bytes, const GError *error)
{
  gsize length = 0;
  gconstpointer data = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;

  if (self->sent != NULL && data != NULL)
    reeve_admission_sent_add (self->sent, data, length);
  else if (data == NULL)
    reeve_call_source_end (self, error);
}

/* On a worker. What is empty is not worth waking anybody for. */
static void
reeve_call_source_work (gpointer data)
{
  GTask *task = data;
  ReeveCallSourceRead *read = g_task_get_task_data (task);
  gint64 end = g_get_monotonic_time () + REEVE_CALL_SOURCE_TURN_US;
  g_autoptr (GError) error = NULL;

  for (;;)
    {
      g_autoptr (GBytes) bytes = read->source->next (read->source->user_data, &error);
      gboolean empty = bytes != NULL && g_bytes_get_size (bytes) == 0;

      if (!empty)
        {
          reeve_call_source_note (read->source, bytes, error);
          read->bytes = g_steal_pointer (&bytes);
          reeve_call_source_return (task, error);
          return;
        }
      if (g_get_monotonic_time () < end)
        continue;
      reeve_call_source_push (task);
      return;
    }
}

/* Gives the task to a worker; when all are busy, a little later. */
static void
reeve_call_source_push (GTask *task)
{
  ReeveCallSourceRead *read = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSource) later = NULL;

  if (reeve_workers_push (read->workers, reeve_call_source_work, task, &error))
    return;
  if (!g_error_matches (error, REEVE_ERROR, REEVE_ERROR_BUSY))
    {
      reeve_call_source_return (task, error);
      return;
    }
  later = g_timeout_source_new (REEVE_CALL_SOURCE_WAIT_MS);
  g_source_set_callback (later, reeve_call_source_try_again, task, NULL);
  g_source_attach (later, g_task_get_context (task));
}

/**
 * reeve_call_source_read_async:
 * @self: a source nobody reads at the moment
 * @workers: where it is read
 * @callback: gets the next bytes
 * @user_data: for @callback
 */
void
reeve_call_source_read_async (ReeveCallSource *self, ReeveWorkers *workers,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = reeve_log_task_new (NULL, NULL, callback, user_data);
  ReeveCallSourceRead *read = g_new0 (ReeveCallSourceRead, 1);

  read->source = reeve_call_source_ref (self);
  read->workers = reeve_workers_ref (workers);
  g_task_set_source_tag (task, reeve_call_source_read_async);
  g_task_set_task_data (task, read, (GDestroyNotify) reeve_call_source_read_free);
  reeve_call_source_push (task);
}

/**
 * reeve_call_source_read_finish:
 * @self: a source
 * @result: what the callback got
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the next bytes; %NULL without an error at the end
 */
GBytes *
reeve_call_source_read_finish (ReeveCallSource *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_call_source_read_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * reeve_call_source_read_all:
 * @self: a source
 * @max: most bytes
 * @error: return location
 *
 * Reads a source at once, for a door that sends answers whole. Blocks.
 *
 * Returns: (transfer full): all bytes; %NULL with %REEVE_ERROR_TOO_LARGE or what reading says
 */
GBytes *
reeve_call_source_read_all (ReeveCallSource *self, gsize max, GError **error)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  GError *problem = NULL;

  for (;;)
    {
      g_autoptr (GBytes) bytes = self->next (self->user_data, &problem);

      if (problem != NULL)
        {
          g_propagate_error (error, problem);
          return NULL;
        }
      if (bytes == NULL)
        return g_byte_array_free_to_bytes (g_steal_pointer (&all));
      if (g_bytes_get_size (bytes) > max - all->len)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                       "the answer is larger than the %" G_GSIZE_FORMAT
                       " bytes that this door sends at once",
                       max);
          return NULL;
        }
      g_byte_array_append (all, g_bytes_get_data (bytes, NULL), (guint) g_bytes_get_size (bytes));
    }
}
