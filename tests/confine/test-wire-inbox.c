/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A message that has come is taken, however much came before it in one go. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gio/gio.h>

#include "loader/wire-inbox.h"
#include "wire/wire-message.h"

/* Two reads each: what the buffer holds, and the rest, which fills it. */
#define LENGTH   16392
#define MESSAGES 100

typedef struct
{
  int ends[2]; /* the inbox's, the runner's */
  ReeveWireInbox in;
  guint8 message[LENGTH];
  guint sent;
  guint most; /* of them, before the runner is quiet */
  guint taken;
} Rig;

static void
rig_send (Rig *self)
{
  if (self->sent == self->most)
    return;
  g_assert_cmpint (send (self->ends[1], self->message, LENGTH, MSG_DONTWAIT), ==, LENGTH);
  self->sent++;
}

/* The runner says one more while the host is at this one. */
static gboolean
rig_take (gpointer user_data, const guint8 *data, gsize length, GError **error)
{
  Rig *self = user_data;

  (void) data;
  (void) error;
  g_assert_cmpuint (length, ==, LENGTH);
  self->taken++;
  rig_send (self);
  return TRUE;
}

static void
rig_make_message (Rig *self)
{
  g_autoptr (GDBusMessage) call = g_dbus_message_new_method_call (
      NULL, "/io/reeve/Plugin1", "io.reeve.Plugin1.Broker", "Call");
  g_autofree char *text = g_strnfill (LENGTH, 'x');
  g_autofree guint8 *data = NULL;
  gsize length = 0;

  g_dbus_message_set_serial (call, 1);
  g_dbus_message_set_body (call, g_variant_new ("(s)", ""));
  data = g_dbus_message_to_blob (call, &length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  text[LENGTH - length] = '\0';
  g_clear_pointer (&data, g_free);
  g_dbus_message_set_body (call, g_variant_new ("(s)", text));
  data = g_dbus_message_to_blob (call, &length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  g_assert_cmpuint (length, ==, LENGTH);
  memcpy (self->message, data, length);
}

/* For any number of messages, and so for one whose last read is the last of the inbox's turn. */
static void
test_turns (void)
{
  g_autofree Rig *rig = g_new0 (Rig, 1);
  g_autoptr (GError) error = NULL;

  rig_make_message (rig);
  for (rig->most = 1; rig->most <= MESSAGES; rig->most++)
    {
      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, rig->ends), ==, 0);
      reeve_wire_inbox_init (&rig->in, rig->ends[0], (gsize) LENGTH * 2, rig_take, rig);
      rig->sent = 0;
      rig->taken = 0;
      rig_send (rig);
      do
        g_assert_cmpint (reeve_wire_inbox_run (&rig->in, G_MAXINT32, &error), ==,
                         REEVE_WIRE_INBOX_WAITING);
      /* as the kernel wakes the host: by bytes that it has not read */
      while (recv (rig->ends[0], rig->message, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
      g_assert_no_error (error);
      g_assert_cmpuint (rig->taken, ==, rig->most);
      g_assert_false (reeve_wire_inbox_is_within (&rig->in));
      reeve_wire_inbox_clear (&rig->in);
      close (rig->ends[0]);
      close (rig->ends[1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/inbox/turns", test_turns);
  return g_test_run ();
}
