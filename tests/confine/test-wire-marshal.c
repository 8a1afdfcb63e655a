/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages as the two sides of a wire write and read them, held against what GDBus makes of the
 * same: every type that goes over it, and every byte changed once. */
#include <string.h>

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "wire/wire-marshal.h"
#include "wire/wire-message.h"

/* Bodies of every shape that a method of the wire has, and some that none has. */
static const char *const bodies[]
    = { "()",
        "('',)",
        "(uint64 7, {'tenant': <'default'>, 'roles': <['a', 'b']>, 'workspaces': <@as []>, "
        "'remaining': <int64 5>}, 'name', '{\"a\": \"\u00fc\"}')",
        "(uint64 7, @a{sv} {}, b'\\001\\002', true)",
        "(@ay [], false)",
        "('id', '1.0', [('Tool', ['io.reeve.Plugin1.Tool']), ('None', @as [])])",
        "(objectpath '/a/b', signature 'a{sv}', byte 0xff, int16 -3, uint16 3, -4, uint32 5)",
        "(byte 1, 0.5, byte 2, int64 -9, byte 3, @a(yt) [(0x1, 2), (0x3, 4)])",
        "(uint32 200, [b'name', b'value', b''], uint64 3)",
        "('io.reeve.Error.Busy', uint32 3, '/member')",
        "(<<<'within'>>>, <(1, 'two')>, @a{uv} {1: <byte 1>})",
        "(@aas [['a'], @as [], ['b', 'c']], @a(s) [], 'end')" };

static GDBusMessage *
make (guint kind, const char *text)
{
  g_autoptr (GDBusMessage) call = g_dbus_message_new_method_call (NULL, "/io/reeve/Plugin1/1",
                                                                  "io.reeve.Plugin1.Tool", "Call");
  GVariant *body = g_variant_new_parsed (text);
  GDBusMessage *message = NULL;

  g_dbus_message_set_serial (call, 77);
  if (kind == 0)
    message = g_object_ref (call);
  else if (kind == 1)
    message = g_dbus_message_new_method_reply (call);
  else
    message = g_dbus_message_new_method_error_literal (call, "io.reeve.Error.Busy", "text");
  g_dbus_message_set_serial (message, 78);
  if (g_variant_n_children (body) > 0)
    g_dbus_message_set_body (message, body);
  else
    g_variant_unref (g_variant_ref_sink (body));
  return message;
}

/* Not a number is not equal to itself, and a descriptor's number is a number: bytes are compared.
 */
static gboolean
is_same_body (GDBusMessage *one, GDBusMessage *other)
{
  GVariant *left = g_dbus_message_get_body (one);
  GVariant *right = g_dbus_message_get_body (other);

  if (left == NULL || right == NULL)
    return left == right;
  return g_strcmp0 (g_variant_get_type_string (left), g_variant_get_type_string (right)) == 0
         && g_variant_get_size (left) == g_variant_get_size (right)
         && memcmp (g_variant_get_data (left), g_variant_get_data (right),
                    g_variant_get_size (left))
                == 0;
}

static void
check_same (GDBusMessage *one, GDBusMessage *other)
{
  g_assert_cmpint (g_dbus_message_get_message_type (one), ==,
                   g_dbus_message_get_message_type (other));
  g_assert_cmpint (g_dbus_message_get_flags (one), ==, g_dbus_message_get_flags (other));
  g_assert_cmpuint (g_dbus_message_get_serial (one), ==, g_dbus_message_get_serial (other));
  g_assert_cmpuint (g_dbus_message_get_reply_serial (one), ==,
                    g_dbus_message_get_reply_serial (other));
  g_assert_cmpuint (g_dbus_message_get_num_unix_fds (one), ==,
                    g_dbus_message_get_num_unix_fds (other));
  g_assert_cmpstr (g_dbus_message_get_path (one), ==, g_dbus_message_get_path (other));
  g_assert_cmpstr (g_dbus_message_get_interface (one), ==, g_dbus_message_get_interface (other));
  g_assert_cmpstr (g_dbus_message_get_member (one), ==, g_dbus_message_get_member (other));
  g_assert_cmpstr (g_dbus_message_get_error_name (one), ==, g_dbus_message_get_error_name (other));
  g_assert_true (is_same_body (one, other));
}

static void
test_both_ways (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      for (guint kind = 0; kind < 3; kind++)
        {
          g_autoptr (GDBusMessage) message = make (kind, bodies[i]);
          g_autoptr (GDBusMessage) theirs = NULL;
          g_autoptr (GDBusMessage) ours = NULL;
          g_autoptr (GBytes) bytes = NULL;
          g_autoptr (GError) error = NULL;
          gsize length = 0;
          guint8 *blob = wire_marshal_write (message, &length);

          theirs
              = g_dbus_message_new_from_blob (blob, length, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
          g_assert_no_error (error);
          check_same (message, theirs);
          g_free (blob);
          blob = g_dbus_message_to_blob (message, &length, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
          g_assert_no_error (error);
          bytes = g_bytes_new_take (blob, length);
          ours = wire_marshal_read (bytes, &error);
          g_assert_no_error (error);
          check_same (message, ours);
        }
    }
}

/* A descriptor's number stands in the body; how many there are, in the header. */
static void
test_descriptors (void)
{
  g_autoptr (GDBusMessage) message = make (0, "(uint64 1, handle 1, handle 0)");
  g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
  g_autoptr (GDBusMessage) ours = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  guint8 *blob = NULL;
  gsize length = 0;

  g_assert_cmpint (g_unix_fd_list_append (list, 0, &error), ==, 0);
  g_assert_cmpint (g_unix_fd_list_append (list, 0, &error), ==, 1);
  g_dbus_message_set_unix_fd_list (message, list);
  blob = wire_marshal_write (message, &length);
  bytes = g_bytes_new_take (blob, length);
  ours = wire_marshal_read (bytes, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_dbus_message_get_num_unix_fds (ours), ==, 2);
  g_assert_true (is_same_body (message, ours));
}

/* What is changed is refused, or read as GDBus reads it; what is cut is refused. */
static void
test_each_byte (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (GDBusMessage) message = make (i % 3, bodies[i]);
      gsize length = 0;
      g_autofree guint8 *blob = wire_marshal_write (message, &length);
      guint read = 0;

      for (gsize at = 0; at < length * 3; at++)
        {
          static const guint8 changes[] = { 0x01, 0x80, 0xff };
          g_autofree guint8 *copy = g_memdup2 (blob, length);
          g_autoptr (GBytes) cut = g_bytes_new (blob, at % length);
          g_autoptr (GBytes) bytes = NULL;
          g_autoptr (GDBusMessage) ours = NULL;
          g_autoptr (GDBusMessage) theirs = NULL;
          g_autoptr (GError) error = NULL;

          g_assert_null (wire_marshal_read (cut, &error));
          g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
          g_clear_error (&error);
          copy[at % length] ^= changes[at / length];
          bytes = g_bytes_new (copy, length);
          ours = wire_marshal_read (bytes, &error);
          g_assert_true ((ours == NULL) == (error != NULL));
          if (ours == NULL)
            continue;
          theirs = g_dbus_message_new_from_blob (copy, length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
          g_assert (theirs != NULL);
          g_assert_true (is_same_body (theirs, ours));
          read++;
        }
      /* a letter of a text, say */
      g_assert_cmpuint (read, >, 0);
    }
}

/* "()" takes no byte of an array, and variants can lie in one another without end. */
static void
test_endless (void)
{
  g_autoptr (GDBusMessage) empty = make (0, "(@ay [1, 2, 3, 4],)");
  gsize length = 0;
  g_autofree guint8 *blob = wire_marshal_write (empty, &length);
  g_autofree guint8 *deep = NULL;
  WireMessage head = { 0 };
  GVariant *within = g_variant_new_byte (1);

  g_assert_true (wire_message_read (&head, blob, length, NULL));
  for (guint i = 0; i < 2; i++)
    {
      static const char *const types[] = { "()", "vv" };
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GError) error = NULL;

      memcpy (blob + (head.signature - (const char *) blob), types[i], 2);
      bytes = g_bytes_new (blob, length);
      g_assert_null (wire_marshal_read (bytes, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
    }
  for (guint i = 0; i < 40; i++)
    within = g_variant_new_variant (within);
  g_dbus_message_set_body (empty, g_variant_new_tuple (&within, 1));
  deep = wire_marshal_write (empty, &length);
  {
    g_autoptr (GBytes) bytes = g_bytes_new (deep, length);
    g_autoptr (GError) error = NULL;

    g_assert_null (wire_marshal_read (bytes, &error));
    g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire-marshal/both-ways", test_both_ways);
  g_test_add_func ("/wire-marshal/descriptors", test_descriptors);
  g_test_add_func ("/wire-marshal/each-byte", test_each_byte);
  g_test_add_func ("/wire-marshal/endless", test_endless);
  return g_test_run ();
}
