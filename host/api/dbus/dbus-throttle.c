/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GDBus reads as fast as the bus sends, and queues each call for the main loop without a bound. So
 * a filter, which runs on the thread that reads, counts the calls of each peer as they come, and
 * the answers as they go. A call that wants no answer is made to have one, which is then dropped:
 * its end could not be seen otherwise. */
#include "dbus-throttle.h"

#define REEVE_DBUS_THROTTLE_LIMITS "org.freedesktop.DBus.Error.LimitsExceeded"

struct _ReeveDbusThrottle
{
  gatomicrefcount references; /* the filter may outlive its owner for a moment */
  GDBusConnection *connection;
  guint filter;
  GMutex mutex;
  GHashTable *peers; /* sender -> calls */
  GHashTable *calls; /* sender and serial -> does it want no answer? */
};

static void
reeve_dbus_throttle_unref (gpointer data)
{
  ReeveDbusThrottle *self = data;

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->peers);
  g_hash_table_unref (self->calls);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static char *
reeve_dbus_throttle_key (const char *peer, guint32 serial)
{
  return g_strdup_printf ("%s %u", peer, serial);
}

static guint
reeve_dbus_throttle_count (ReeveDbusThrottle *self, const char *peer)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->peers, peer));
}

static void
reeve_dbus_throttle_set_count (ReeveDbusThrottle *self, const char *peer, guint count)
{
  if (count > 0)
    g_hash_table_replace (self->peers, g_strdup (peer), GUINT_TO_POINTER (count));
  else
    g_hash_table_remove (self->peers, peer);
}

static gboolean
reeve_dbus_throttle_is_silent (GDBusMessage *call)
{
  return (g_dbus_message_get_flags (call) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED) != 0;
}

/* (nullable): why the call is refused */
static const char *
reeve_dbus_throttle_enter (ReeveDbusThrottle *self, GDBusMessage *call, const char *peer)
{
  GVariant *body = g_dbus_message_get_body (call);
  g_autoptr (GMutexLocker) locker = NULL;
  guint count = 0;

  if (body != NULL && g_variant_get_size (body) > REEVE_DBUS_THROTTLE_MAX_BYTES)
    return "the arguments are too large";
  locker = g_mutex_locker_new (&self->mutex);
  count = reeve_dbus_throttle_count (self, peer);
  if (count >= REEVE_DBUS_THROTTLE_PER_PEER)
    return "too many calls of this connection wait for their answer";
  if (count >= REEVE_DBUS_THROTTLE_FEW
      && g_hash_table_size (self->calls) >= REEVE_DBUS_THROTTLE_ALL)
    return "too many calls wait for their answer";
  reeve_dbus_throttle_set_count (self, peer, count + 1);
  g_hash_table_replace (self->calls,
                        reeve_dbus_throttle_key (peer, g_dbus_message_get_serial (call)),
                        GINT_TO_POINTER (reeve_dbus_throttle_is_silent (call)));
  return NULL;
}

/* (transfer full): the call, made to want an answer */
static GDBusMessage *
reeve_dbus_throttle_make_answer (GDBusMessage *call)
{
  GDBusMessage *copy = g_dbus_message_copy (call, NULL);

  g_return_val_if_fail (copy != NULL, call);
  g_dbus_message_set_flags (copy, g_dbus_message_get_flags (call)
                                      & ~(guint) G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
  g_object_unref (call);
  return copy;
}

/* TRUE: the answer goes out. */
static gboolean
reeve_dbus_throttle_leave (ReeveDbusThrottle *self, GDBusMessage *answer)
{
  const char *peer = g_dbus_message_get_destination (answer);
  g_autofree char *key = NULL;
  gpointer silent = NULL;
  g_autoptr (GMutexLocker) locker = NULL;

  if (peer == NULL)
    return TRUE;
  key = reeve_dbus_throttle_key (peer, g_dbus_message_get_reply_serial (answer));
  locker = g_mutex_locker_new (&self->mutex);
  if (!g_hash_table_lookup_extended (self->calls, key, NULL, &silent))
    return TRUE;
  g_hash_table_remove (self->calls, key);
  reeve_dbus_throttle_set_count (self, peer, reeve_dbus_throttle_count (self, peer) - 1);
  return !GPOINTER_TO_INT (silent);
}

static void
reeve_dbus_throttle_refuse (GDBusConnection *connection, GDBusMessage *call, const char *why)
{
  g_autoptr (GDBusMessage) answer = NULL;

  if (reeve_dbus_throttle_is_silent (call))
    return;
  answer = g_dbus_message_new_method_error_literal (call, REEVE_DBUS_THROTTLE_LIMITS, why);
  g_dbus_connection_send_message (connection, answer, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
}

/* On the thread that reads and writes the bus. */
static GDBusMessage *
reeve_dbus_throttle_on_message (GDBusConnection *connection, GDBusMessage *message,
                                gboolean incoming, gpointer user_data)
{
  ReeveDbusThrottle *self = user_data;
  GDBusMessageType type = g_dbus_message_get_message_type (message);
  const char *peer = g_dbus_message_get_sender (message);
  const char *why = NULL;

  if (incoming && type == G_DBUS_MESSAGE_TYPE_METHOD_CALL && peer != NULL)
    {
      why = reeve_dbus_throttle_enter (self, message, peer);
      if (why == NULL)
        return reeve_dbus_throttle_is_silent (message) ? reeve_dbus_throttle_make_answer (message)
                                                       : message;
      reeve_dbus_throttle_refuse (connection, message, why);
      g_object_unref (message);
      return NULL;
    }
  if (!incoming && (type == G_DBUS_MESSAGE_TYPE_METHOD_RETURN || type == G_DBUS_MESSAGE_TYPE_ERROR)
      && !reeve_dbus_throttle_leave (self, message))
    {
      g_object_unref (message);
      return NULL;
    }
  return message;
}

/**
 * reeve_dbus_throttle_new:
 * @connection: to the bus
 *
 * Returns: (transfer full): a throttle that watches the connection
 */
ReeveDbusThrottle *
reeve_dbus_throttle_new (GDBusConnection *connection)
{
  ReeveDbusThrottle *self = g_new0 (ReeveDbusThrottle, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->mutex);
  self->connection = g_object_ref (connection);
  self->peers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->calls = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_atomic_ref_count_inc (&self->references);
  self->filter = g_dbus_connection_add_filter (connection, reeve_dbus_throttle_on_message, self,
                                               reeve_dbus_throttle_unref);
  return self;
}

void
reeve_dbus_throttle_free (ReeveDbusThrottle *self)
{
  g_dbus_connection_remove_filter (self->connection, self->filter);
  g_clear_object (&self->connection);
  reeve_dbus_throttle_unref (self);
}

guint
reeve_dbus_throttle_get_open (ReeveDbusThrottle *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return g_hash_table_size (self->calls);
}
