/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages as the two sides of a wire write and read them, held against what GDBus makes of the
 * same: every type that goes over it, and every byte changed once. */
#include <string.h>

#include <gio/gio.h>

#include "wire/wire-context.h"
#include "wire/wire-letter.h"
#include "wire/wire-value.h"

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

/* (transfer full): as GDBus writes it */
static GBytes *
blob_of (GDBusMessage *message)
{
  g_autoptr (GError) error = NULL;
  gsize length = 0;
  guint8 *blob
      = g_dbus_message_to_blob (message, &length, G_DBUS_CAPABILITY_FLAGS_UNIX_FD_PASSING, &error);

  g_assert_no_error (error);
  return g_bytes_new_take (blob, length);
}

/* Not a number is not equal to itself: bytes are compared. */
static gboolean
is_same_body (GVariant *left, GVariant *right)
{
  if (left == NULL || right == NULL)
    return left == right;
  return g_strcmp0 (g_variant_get_type_string (left), g_variant_get_type_string (right)) == 0
         && g_variant_get_size (left) == g_variant_get_size (right)
         && memcmp (g_variant_get_data (left), g_variant_get_data (right),
                    g_variant_get_size (left))
                == 0;
}

static void
check_same (GDBusMessage *one, WireLetter *other)
{
  g_assert_cmpint (g_dbus_message_get_message_type (one), ==, other->head.type);
  g_assert_cmpint (g_dbus_message_get_flags (one), ==,
                   other->head.no_reply ? G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED : 0);
  g_assert_cmpuint (g_dbus_message_get_serial (one), ==, other->head.serial);
  g_assert_cmpuint (g_dbus_message_get_reply_serial (one), ==, other->head.reply_serial);
  g_assert_cmpuint (g_dbus_message_get_num_unix_fds (one), ==, other->head.n_fds);
  g_assert_cmpstr (g_dbus_message_get_path (one), ==, other->head.path);
  g_assert_cmpstr (g_dbus_message_get_interface (one), ==, other->head.interface);
  g_assert_cmpstr (g_dbus_message_get_member (one), ==, other->head.member);
  g_assert_cmpstr (g_dbus_message_get_error_name (one), ==, other->head.error_name);
  g_assert_true (is_same_body (g_dbus_message_get_body (one), other->body));
}

/* What GDBus wrote is read as it meant it; what is written then GDBus reads so. */
static void
test_both_ways (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bodies) * 3; i++)
    {
      g_autoptr (GDBusMessage) message = make (i % 3, bodies[i / 3]);
      g_autoptr (GBytes) bytes = blob_of (message);
      g_autoptr (GError) error = NULL;
      g_autoptr (WireLetter) letter = wire_letter_read (bytes, &error);
      g_autoptr (GDBusMessage) again = NULL;
      g_autofree guint8 *blob = NULL;
      gsize length = 0;

      g_assert_no_error (error);
      check_same (message, letter);
      blob = wire_letter_write (letter, &length);
      again = g_dbus_message_new_from_blob (blob, length, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
      g_assert_no_error (error);
      check_same (again, letter);
    }
}

/* Of each kind, as both sides make them. */
static void
test_new (void)
{
  for (guint kind = 0; kind < 3; kind++)
    {
      g_autoptr (GDBusMessage) message = make (kind, "('text', uint32 0, '')");
      g_autoptr (GVariant) body = g_variant_ref_sink (g_variant_new ("(sus)", "text", 0, ""));
      g_autoptr (WireLetter) letter
          = kind == 0   ? wire_letter_new_call ("/io/reeve/Plugin1/1", "io.reeve.Plugin1.Tool",
                                                "Call", body)
            : kind == 1 ? wire_letter_new_reply (77, body)
                        : wire_letter_new_error (77, "io.reeve.Error.Busy", body);

      letter->head.serial = 78;
      check_same (message, letter);
    }
}

/* A descriptor's number stands in the body; how many there are, in the header. */
static void
test_descriptors (void)
{
  g_autoptr (GDBusMessage) message = make (0, "(uint64 1, handle 1, handle 0)");
  g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (WireLetter) letter = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_unix_fd_list_append (list, 0, &error), ==, 0);
  g_assert_cmpint (g_unix_fd_list_append (list, 0, &error), ==, 1);
  g_dbus_message_set_unix_fd_list (message, list);
  bytes = blob_of (message);
  letter = wire_letter_read (bytes, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (letter->head.n_fds, ==, 2);
  check_same (message, letter);
}

/* What is changed is refused, or read as GDBus reads it; what is cut is refused. */
static void
test_each_byte (void)
{
  static const guint8 changes[] = { 0x01, 0x80, 0xff };

  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (GDBusMessage) message = make (i % 3, bodies[i]);
      g_autoptr (GBytes) blob = blob_of (message);
      gsize length = g_bytes_get_size (blob);
      guint read = 0;

      for (gsize at = 0; at < length * G_N_ELEMENTS (changes); at++)
        {
          guint8 *copy = g_memdup2 (g_bytes_get_data (blob, NULL), length);
          g_autoptr (GBytes) cut = g_bytes_new (copy, at % length);
          g_autoptr (GBytes) bytes = g_bytes_new_take (copy, length);
          g_autoptr (GError) error = NULL;
          g_autoptr (WireLetter) letter = wire_letter_read (cut, &error);
          g_autoptr (GDBusMessage) theirs = NULL;

          g_assert_null (letter);
          g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
          g_clear_error (&error);
          copy[at % length] ^= changes[at / length];
          letter = wire_letter_read (bytes, &error);
          g_assert_true ((letter == NULL) == (error != NULL));
          if (letter == NULL)
            continue;
          theirs = g_dbus_message_new_from_blob (copy, length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
          g_assert (theirs != NULL);
          g_assert_true (is_same_body (g_dbus_message_get_body (theirs), letter->body));
          read++;
        }
      /* a letter of a text, say */
      g_assert_cmpuint (read, >, 0);
    }
}

static void
check_refused (const guint8 *data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  g_autoptr (GError) error = NULL;

  g_assert_null (wire_letter_read (bytes, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
}

/* "()" takes no byte of an array, and variants can lie in one another without end. */
static void
test_endless (void)
{
  static const char *const types[] = { "()", "vv" };
  g_autoptr (WireLetter) empty = wire_letter_new_reply (1, g_variant_new_parsed ("(b'123',)"));
  g_autoptr (WireLetter) deep = NULL;
  g_autofree guint8 *blob = NULL;
  g_autofree guint8 *within = NULL;
  GVariant *value = g_variant_new_byte (1);
  WireMessage head = { 0 };
  gsize length = 0;

  empty->head.serial = 1;
  blob = wire_letter_write (empty, &length);
  g_assert_true (wire_message_read (&head, blob, length, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      memcpy (blob + (head.signature - (const char *) blob), types[i], 2);
      check_refused (blob, length);
    }
  for (guint i = 0; i < 40; i++)
    value = g_variant_new_variant (value);
  deep = wire_letter_new_reply (1, g_variant_new_tuple (&value, 1));
  deep->head.serial = 1;
  within = wire_letter_write (deep, &length);
  check_refused (within, length);
}

/* ---- a call with its context, as the host writes it and the runner reads it ---- */

#define CALL "(uint64 7, %s, 'name', b'\\001')"

/* (transfer full): the bytes of a call that begins with a number and @context, as GDBus writes it
 */
static GBytes *
call_with (const char *context)
{
  g_autofree char *text = g_strdup_printf (CALL, context);
  g_autoptr (GDBusMessage) message = make (0, text);

  return blob_of (message);
}

/* (transfer full) (nullable) */
static ReeveContext *
read_context (GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WireLetter) letter = wire_letter_read_call (bytes, &error);
  ReeveContext *context = letter != NULL && wire_letter_read_call_body (letter, &error)
                              ? wire_context_read (letter, NULL, NULL, &error)
                              : NULL;

  g_assert_true ((context == NULL) == (error != NULL));
  if (context == NULL)
    g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  return context;
}

static void
check_same_context (ReeveContext *one, ReeveContext *other)
{
  g_assert_cmpstr (reeve_context_get_tenant_id (one), ==, reeve_context_get_tenant_id (other));
  g_assert_cmpstr (reeve_context_get_user_id (one), ==, reeve_context_get_user_id (other));
  g_assert_cmpstr (reeve_context_get_agent_id (one), ==, reeve_context_get_agent_id (other));
  g_assert_cmpstr (reeve_context_get_run_id (one), ==, reeve_context_get_run_id (other));
  g_assert_cmpstr (reeve_context_get_trace_id (one), ==, reeve_context_get_trace_id (other));
  g_assert_cmpstr (reeve_context_get_traceparent (one), ==, reeve_context_get_traceparent (other));
  g_assert_cmpstr (reeve_context_get_tracestate (one), ==, reeve_context_get_tracestate (other));
  g_assert_cmpstrv (reeve_context_get_roles (one), reeve_context_get_roles (other));
  g_assert_cmpstrv (reeve_context_get_labels (one), reeve_context_get_labels (other));
  g_assert_true ((reeve_context_get_workspaces (one) == NULL)
                 == (reeve_context_get_workspaces (other) == NULL));
  if (reeve_context_get_workspaces (one) != NULL)
    g_assert_cmpstrv (reeve_context_get_workspaces (one), reeve_context_get_workspaces (other));
  g_assert_true ((reeve_context_get_deadline (one) != 0)
                 == (reeve_context_get_deadline (other) != 0));
}

/* (transfer full): what the host sends for @context, with a text and bytes behind it */
static GBytes *
write_call (ReeveContext *context)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  g_autoptr (GVariant) bytes = g_variant_ref_sink (g_variant_new_bytestring ("\001"));
  g_autoptr (WireLetter) letter = NULL;
  guint8 *data = NULL;
  gsize length = 0;

  wire_value_append_number64 (body, 7);
  wire_context_append (body, context, reeve_context_get_deadline (context));
  wire_value_append_string (body, "name", 4);
  wire_value_append (body, bytes);
  letter = wire_letter_new_call_of ("/io/reeve/Plugin1/1", "io.reeve.Plugin1.Tool", "Call",
                                    "ta{sv}say", body);
  letter->head.serial = 78;
  data = wire_letter_write (letter, &length);
  return g_bytes_new_take (data, length);
}

/* What is written GDBus reads, and the runner as it was; what stands behind the context is read,
 * the context is not. */
static void
test_context (void)
{
  const char *const texts[] = { "one", "", "\u00fc three", NULL };
  const char *const none[] = { NULL };
  const ReeveContextInfo infos[]
      = { { .struct_size = sizeof infos[0] },
          { .struct_size = sizeof infos[0], .tenant_id = "a", .workspaces = none },
          { .struct_size = sizeof infos[0],
            .tenant_id = "tenant",
            .user_id = "",
            .agent_id = "agent",
            .run_id = "run-1",
            .trace_id = "t",
            .traceparent = "00-1",
            .tracestate = "x=y",
            .roles = texts,
            .labels = texts + 1,
            .workspaces = texts + 2,
            .deadline = g_get_monotonic_time () + G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC } };

  for (guint i = 0; i < G_N_ELEMENTS (infos); i++)
    {
      g_autoptr (ReeveContext) context = reeve_context_new (&infos[i], NULL, NULL);
      g_autoptr (GBytes) bytes = write_call (context);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveContext) again = read_context (bytes);
      g_autoptr (WireLetter) letter = wire_letter_read_call (bytes, &error);
      g_autoptr (GVariant) rest
          = g_variant_ref_sink (g_variant_new_parsed ("(uint64 7, @a{sv} {}, 'name', b'\\001')"));
      g_autoptr (WireLetter) whole = wire_letter_read (bytes, &error);
      g_autoptr (GDBusMessage) message = g_dbus_message_new_from_blob (
          (guchar *) g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
          G_DBUS_CAPABILITY_FLAGS_NONE, &error);

      g_assert_no_error (error);
      check_same (message, whole);
      g_assert_cmpuint (letter->call.number, ==, 7);
      g_assert_null (letter->body);
      g_assert_true (wire_letter_read_call_body (letter, &error));
      g_assert_true (is_same_body (rest, letter->body));
      g_assert_nonnull (again);
      check_same_context (context, again);
    }
}

/* Entries that nobody knows, or of another type, are nothing, wherever they stand. */
static void
test_strange_entries (void)
{
  g_autoptr (GBytes) bytes = call_with (
      "{'tenant': <'a'>, 'user': <uint32 5>, 'new': <(byte 1, <['x']>, 0.5)>, 'roles': <'r'>, "
      "'labels': <['l']>, 'workspaces': <@aas [['w']]>, 'remaining': <'5'>, 'run': <'last'>}");
  g_autoptr (ReeveContext) context = read_context (bytes);
  const char *const labels[] = { "l", NULL };

  g_assert (context != NULL);
  g_assert_cmpstr (reeve_context_get_tenant_id (context), ==, "a");
  g_assert_null (reeve_context_get_user_id (context));
  g_assert_cmpuint (g_strv_length ((char **) reeve_context_get_roles (context)), ==, 0);
  g_assert_cmpstrv (reeve_context_get_labels (context), labels);
  g_assert_null (reeve_context_get_workspaces (context));
  g_assert_cmpint (reeve_context_get_deadline (context), ==, 0);
  g_assert_cmpstr (reeve_context_get_run_id (context), ==, "last");
}

/* Of a context every byte is changed: what the runner reads is what any other reader does. */
static void
test_each_byte_of_context (void)
{
  g_autoptr (GBytes) blob = call_with ("{'tenant': <'default'>, 'roles': <['a', 'bc']>, "
                                       "'remaining': <int64 5000000>, 'n': <(1, 'x')>}");
  gsize length = g_bytes_get_size (blob);
  guint read = 0;

  for (gsize i = 0; i < length * 16; i++)
    {
      guint8 *copy = g_memdup2 (g_bytes_get_data (blob, NULL), length);
      g_autoptr (GBytes) bytes = g_bytes_new_take (copy, length);
      g_autoptr (ReeveContext) context = NULL;
      g_autoptr (WireLetter) whole = NULL;

      copy[i % length] ^= (guint8) (i / length * 16 + 1);
      whole = wire_letter_read (bytes, NULL);
      /* of another signature no method would be called with it */
      if (whole != NULL && !g_str_has_prefix (whole->head.signature, "ta{sv}"))
        continue;
      context = read_context (bytes);
      g_assert_true ((context != NULL) == (whole != NULL));
      read += context != NULL;
    }
  g_assert_cmpuint (read, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire-letter/both-ways", test_both_ways);
  g_test_add_func ("/wire-letter/new", test_new);
  g_test_add_func ("/wire-letter/descriptors", test_descriptors);
  g_test_add_func ("/wire-letter/each-byte", test_each_byte);
  g_test_add_func ("/wire-letter/endless", test_endless);
  g_test_add_func ("/wire-letter/context", test_context);
  g_test_add_func ("/wire-letter/strange-entries", test_strange_entries);
  g_test_add_func ("/wire-letter/each-byte-of-context", test_each_byte_of_context);
  return g_test_run ();
}
