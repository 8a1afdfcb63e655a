/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection knows by itself whether it is ready, so the source only asks. */
#include "connection-source.h"

typedef struct
{
  GSource source;
  ReeveRestConnection *connection;
  gboolean writing;
} ReeveRestConnectionSource;

static gboolean
reeve_rest_connection_source_is_ready (GSource *source)
{
  ReeveRestConnectionSource *self = (ReeveRestConnectionSource *) source;

  return self->writing ? reeve_rest_connection_is_writable (self->connection)
                       : reeve_rest_connection_is_readable (self->connection);
}

static gboolean
reeve_rest_connection_source_prepare (GSource *source, gint *timeout)
{
  *timeout = -1;
  return reeve_rest_connection_source_is_ready (source);
}

static gboolean
reeve_rest_connection_source_dispatch (GSource *source, GSourceFunc func, gpointer data)
{
  return func != NULL ? func (data) : G_SOURCE_CONTINUE;
}

static void
reeve_rest_connection_source_finalize (GSource *source)
{
  reeve_rest_connection_unref (((ReeveRestConnectionSource *) source)->connection);
}

/* GIO sets a closure, not a callback, on the source that it waits for inside its own. */
static gboolean
reeve_rest_connection_source_run (gpointer data)
{
  GValue result = G_VALUE_INIT;
  gboolean again = FALSE;

  g_value_init (&result, G_TYPE_BOOLEAN);
  g_closure_invoke (data, &result, 0, NULL, NULL);
  again = g_value_get_boolean (&result);
  g_value_unset (&result);
  return again;
}

static GSourceFuncs reeve_rest_connection_source_funcs = {
  .prepare = reeve_rest_connection_source_prepare,
  .check = reeve_rest_connection_source_is_ready,
  .dispatch = reeve_rest_connection_source_dispatch,
  .finalize = reeve_rest_connection_source_finalize,
  .closure_callback = reeve_rest_connection_source_run,
};

static gboolean
reeve_rest_connection_source_stay (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/**
 * reeve_rest_connection_source_new:
 * @connection: a connection
 * @writing: wait for room to write, else for something to read
 *
 * Returns: (transfer full): a source
 */
GSource *
reeve_rest_connection_source_new (ReeveRestConnection *connection, gboolean writing)
{
  GSource *source
      = g_source_new (&reeve_rest_connection_source_funcs, sizeof (ReeveRestConnectionSource));

  ((ReeveRestConnectionSource *) source)->connection = reeve_rest_connection_ref (connection);
  ((ReeveRestConnectionSource *) source)->writing = writing;
  g_source_set_callback (source, reeve_rest_connection_source_stay, NULL, NULL);
  return source;
}
