/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a runner writes on its wire: first words up to BEGIN, then messages behind each other. What
 * the rules let through GDBus must read: it complains of the rest with all its bytes, in the log.
 * In whatever pieces it comes, the same messages are taken.
 * covers: plugin-api/wire/wire-message.c plugin-api/wire/wire-reader.c plugin-api/wire/wire-value.c
 * plugin-api/wire/wire-letter.c host/loader/wire-rules.c host/loader/wire-auth.c
 * host/loader/wire-inbox.c */
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gio/gio.h>

#include "loader/wire-auth.h"
#include "loader/wire-inbox.h"
#include "loader/wire-rules.h"
#include "wire/wire-letter.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST 65536

/* The host has asked serials 1 to 8. */
static void
ask (ReeveWireRules *rules)
{
  for (guint32 serial = 1; serial <= 8; serial++)
    reeve_wire_rules_ask (rules, serial);
}

/* Not a number is not equal to itself: bytes are compared. */
static gboolean
is_same (GVariant *one, GVariant *other)
{
  return g_strcmp0 (g_variant_get_type_string (one), g_variant_get_type_string (other)) == 0
         && g_variant_get_size (one) == g_variant_get_size (other)
         && memcmp (g_variant_get_data (one), g_variant_get_data (other), g_variant_get_size (one))
                == 0;
}

static void
compare (GDBusMessage *message, WireLetter *letter)
{
  GVariant *body = g_dbus_message_get_body (message);

  g_assert_cmpint (g_dbus_message_get_message_type (message), ==, letter->head.type);
  g_assert_cmpuint (g_dbus_message_get_serial (message), ==, letter->head.serial);
  g_assert_cmpuint (g_dbus_message_get_reply_serial (message), ==, letter->head.reply_serial);
  g_assert_cmpstr (g_dbus_message_get_path (message), ==, letter->head.path);
  g_assert_cmpstr (g_dbus_message_get_interface (message), ==, letter->head.interface);
  g_assert_cmpstr (g_dbus_message_get_member (message), ==, letter->head.member);
  g_assert_cmpstr (g_dbus_message_get_error_name (message), ==, letter->head.error_name);
  g_assert_true ((body == NULL) == (letter->body == NULL));
  g_assert_true (body == NULL || g_variant_is_normal_form (letter->body));
  g_assert_true (body == NULL || is_same (body, letter->body));
}

/* What the host makes of @data is what GDBus makes of it, and so is what it would write. */
static void
compare_both (GDBusMessage *message, const guint8 *data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  g_autoptr (GError) error = NULL;
  g_autoptr (WireLetter) letter = wire_letter_read (bytes, &error);
  g_autoptr (GDBusMessage) again = NULL;
  g_autofree guint8 *written = NULL;
  gsize size = 0;

  g_assert_no_error (error);
  compare (message, letter);
  written = wire_letter_write (letter, &size);
  again = g_dbus_message_new_from_blob (written, size, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
  g_assert_no_error (error);
  compare (again, letter);
}

/* Bytes of the first message of @data; 0: there is no whole one that may pass */
static gsize
take_one (ReeveWireRules *rules, const uint8_t *data, size_t size)
{
  g_autoptr (GDBusMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *copy = NULL;
  WireMessage read = { 0 };
  gsize length = 0;

  if (size < WIRE_MESSAGE_HEAD)
    return 0;
  length = wire_message_measure (data, MOST, NULL);
  if (length == 0 || length > size)
    return 0;
  /* what is read behind its end is found so */
  copy = g_memdup2 (data, length);
  if (!reeve_wire_rules_receive (rules, copy, length, &read, &error))
    {
      g_assert_nonnull (error);
      return 0;
    }
  g_assert_cmpint (g_dbus_message_bytes_needed (copy, WIRE_MESSAGE_HEAD, NULL), ==,
                   (gssize) length);
  message = g_dbus_message_new_from_blob (copy, length, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
  g_assert_no_error (error);
  compare_both (message, copy, length);
  return length;
}

typedef struct
{
  ReeveWireRules *rules;
  guint taken;
} Taker;

static gboolean
take (gpointer user_data, const guint8 *data, gsize length, GError **error)
{
  Taker *self = user_data;
  WireMessage read = { 0 };

  if (!reeve_wire_rules_receive (self->rules, data, length, &read, error))
    return FALSE;
  self->taken++;
  return TRUE;
}

/* How many messages are taken off a socket to which @piece bytes at a time are written. */
static guint
take_pieces (const uint8_t *data, size_t size, size_t piece)
{
  g_autoptr (ReeveWireRules) rules = reeve_wire_rules_new (NULL);
  g_autoptr (GError) error = NULL;
  Taker taker = { rules, 0 };
  ReeveWireInbox inbox = { 0 };
  ReeveWireInboxState state = REEVE_WIRE_INBOX_WAITING;
  int ends[2] = { -1, -1 };

  ask (rules);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  reeve_wire_inbox_init (&inbox, ends[0], MOST, take, &taker);
  for (size_t done = 0; done < size && state == REEVE_WIRE_INBOX_WAITING;)
    {
      ssize_t sent = send (ends[1], data + done, MIN (piece, size - done), MSG_DONTWAIT);

      g_assert_cmpint (sent, >, 0);
      done += (size_t) sent;
      state = reeve_wire_inbox_run (&inbox, MOST, &error);
      g_assert_true ((error != NULL) == (state == REEVE_WIRE_INBOX_BROKEN));
      g_assert_cmpuint (inbox.end - inbox.start, <=, MOST);
    }
  reeve_wire_inbox_clear (&inbox);
  close (ends[0]);
  close (ends[1]);
  return taker.taken;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  ReeveWireAuth auth = { .guid = "0123456789abcdef0123456789abcdef" };
  g_autoptr (ReeveWireRules) rules = reeve_wire_rules_new (NULL);
  g_autoptr (GString) answer = g_string_new (NULL);
  gsize at = 0;
  gsize one = 0;
  gsize start = 0;
  guint taken = 0;

  if (size > 0 && data[0] == 0)
    {
      at = reeve_wire_auth_feed (&auth, data, size, answer, NULL);
      g_assert_cmpuint (answer->len, <, 1024);
      if (!auth.done)
        return 0;
      g_assert_cmpuint (at, <=, size);
    }
  ask (rules);
  start = at;
  for (; (one = take_one (rules, data + at, size - at)) != 0; taken++)
    at += one;
  g_assert_cmpuint (take_pieces (data + start, size - start, MOST), ==, taken);
  g_assert_cmpuint (take_pieces (data + start, size - start, 1 + size % 97), ==, taken);
  return 0;
}
