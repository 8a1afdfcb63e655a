/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A runner answers what it is asked, once each, and calls the broker. Whatever else it says is the
 * end of it: an honest one has no reason. */
#include "wire-rules.h"

#include <string.h>

#include <gio/gio.h>

#include "wire/wire-method.h"

struct _ReeveWireRules
{
  ReeveWireLimits limits;
  GMutex lock;
  GHashTable *asked;  /* serials of the host's calls that the runner owes a reply */
  GHashTable *asking; /* serials of the runner's calls -> their bytes */
  gsize asking_bytes;
};

ReeveWireRules *
reeve_wire_rules_new (const ReeveWireLimits *limits)
{
  ReeveWireRules *self = g_new0 (ReeveWireRules, 1);

  if (limits != NULL)
    self->limits = *limits;
  if (self->limits.message == 0)
    self->limits.message = 1024 * 1024;
  if (self->limits.calls == 0)
    self->limits.calls = 64;
  if (self->limits.asked_bytes == 0)
    self->limits.asked_bytes = 16 * 1024 * 1024;
  if (self->limits.per_second == 0)
    self->limits.per_second = 64 * 1024 * 1024;
  if (self->limits.message_us == 0)
    self->limits.message_us = 30 * G_USEC_PER_SEC;
  if (self->limits.begin_us == 0)
    self->limits.begin_us = 30 * G_USEC_PER_SEC;
  g_mutex_init (&self->lock);
  self->asked = g_hash_table_new (g_direct_hash, g_direct_equal);
  self->asking = g_hash_table_new (g_direct_hash, g_direct_equal);
  return self;
}

void
reeve_wire_rules_free (ReeveWireRules *self)
{
  g_hash_table_unref (self->asked);
  g_hash_table_unref (self->asking);
  g_mutex_clear (&self->lock);
  g_free (self);
}

const ReeveWireLimits *
reeve_wire_rules_get_limits (ReeveWireRules *self)
{
  return &self->limits;
}

void
reeve_wire_rules_ask (ReeveWireRules *self, guint32 serial)
{
  g_mutex_lock (&self->lock);
  g_hash_table_add (self->asked, GUINT_TO_POINTER (serial));
  g_mutex_unlock (&self->lock);
}

void
reeve_wire_rules_answer (ReeveWireRules *self, guint32 serial)
{
  gpointer size = NULL;

  g_mutex_lock (&self->lock);
  if (g_hash_table_steal_extended (self->asking, GUINT_TO_POINTER (serial), NULL, &size))
    self->asking_bytes -= GPOINTER_TO_SIZE (size);
  g_mutex_unlock (&self->lock);
}

static gboolean
reeve_wire_rules_fail (GError **error, const char *what)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s", what);
  return FALSE;
}

/* Under the lock. */
static gboolean
reeve_wire_rules_count_call (ReeveWireRules *self, const WireMessage *message, gsize length,
                             GError **error)
{
  if (g_hash_table_contains (self->asking, GUINT_TO_POINTER (message->serial)))
    return reeve_wire_rules_fail (error, "it gave two calls the same serial");
  if (g_hash_table_size (self->asking) >= self->limits.calls)
    return reeve_wire_rules_fail (error, "it has too many calls under way");
  if (self->asking_bytes + length > self->limits.asked_bytes)
    return reeve_wire_rules_fail (error, "its calls that are under way are too large together");
  self->asking_bytes += length;
  g_hash_table_insert (self->asking, GUINT_TO_POINTER (message->serial), GSIZE_TO_POINTER (length));
  return TRUE;
}

static gboolean
reeve_wire_rules_receive_call (ReeveWireRules *self, const WireMessage *message, gsize length,
                               GError **error)
{
  gboolean good = FALSE;

  if (message->interface == NULL || strcmp (message->interface, WIRE_METHOD_PREFIX "Broker") != 0
      || strcmp (message->path, WIRE_METHOD_PATH) != 0
      || wire_method_find (message->interface, message->member) == NULL)
    return reeve_wire_rules_fail (error, "it called what is no method of the broker");
  if (message->no_reply)
    return reeve_wire_rules_fail (error, "it made a call that wants no reply");
  g_mutex_lock (&self->lock);
  good = reeve_wire_rules_count_call (self, message, length, error);
  g_mutex_unlock (&self->lock);
  return good;
}

static gboolean
reeve_wire_rules_receive_reply (ReeveWireRules *self, const WireMessage *message, GError **error)
{
  gboolean asked = FALSE;

  g_mutex_lock (&self->lock);
  asked = g_hash_table_remove (self->asked, GUINT_TO_POINTER (message->reply_serial));
  g_mutex_unlock (&self->lock);
  return asked || reeve_wire_rules_fail (error, "it replied to what nobody asked");
}

gboolean
reeve_wire_rules_receive (ReeveWireRules *self, const guint8 *data, gsize length,
                          WireMessage *message, GError **error)
{
  if (!wire_message_read (message, data, length, error)
      || !wire_message_check_body (message, error))
    return FALSE;
  if (message->n_fds != 0)
    return reeve_wire_rules_fail (error, "it sent a descriptor");
  if (message->destination != NULL || message->sender != NULL)
    return reeve_wire_rules_fail (error, "it named a sender or a destination");
  if (message->type == G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return reeve_wire_rules_receive_call (self, message, length, error);
  if (message->type == G_DBUS_MESSAGE_TYPE_SIGNAL)
    return reeve_wire_rules_fail (error, "it sent a signal");
  return reeve_wire_rules_receive_reply (self, message, error);
}
