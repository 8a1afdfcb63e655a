/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a runner writes on its wire: first words up to BEGIN, then messages behind each other. What
 * the rules let through GDBus must read: it complains of the rest with all its bytes, in the log.
 * covers: host/loader/wire-message.c host/loader/wire-rules.c host/loader/wire-auth.c */
#include <stdint.h>
#include <string.h>

#include <gio/gio.h>

#include "loader/wire-auth.h"
#include "loader/wire-rules.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST 65536

/* The host has asked serials 1 to 8. */
static void
ask (ReeveWireRules *rules)
{
  for (guint32 serial = 1; serial <= 8; serial++)
    reeve_wire_rules_ask (rules, serial);
}

/* Bytes of the first message of @data; 0: there is no whole one that may pass */
static gsize
take_one (ReeveWireRules *rules, const uint8_t *data, size_t size)
{
  g_autoptr (GDBusMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *copy = NULL;
  ReeveWireMessage read = { 0 };
  gsize length = 0;

  if (size < REEVE_WIRE_MESSAGE_HEAD)
    return 0;
  length = reeve_wire_message_measure (data, MOST, NULL);
  if (length == 0 || length > size)
    return 0;
  /* what is read behind its end is found so */
  copy = g_memdup2 (data, length);
  if (!reeve_wire_rules_receive (rules, copy, length, &read, &error))
    {
      g_assert_nonnull (error);
      return 0;
    }
  g_assert_cmpint (g_dbus_message_bytes_needed (copy, REEVE_WIRE_MESSAGE_HEAD, NULL), ==,
                   (gssize) length);
  message = g_dbus_message_new_from_blob (copy, length, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
  g_assert_no_error (error);
  return length;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  ReeveWireAuth auth = { .guid = "0123456789abcdef0123456789abcdef" };
  g_autoptr (ReeveWireRules) rules = reeve_wire_rules_new (NULL);
  g_autoptr (GString) answer = g_string_new (NULL);
  gsize at = 0;
  gsize one = 0;

  if (size > 0 && data[0] == 0)
    {
      at = reeve_wire_auth_feed (&auth, data, size, answer, NULL);
      g_assert_cmpuint (answer->len, <, 1024);
      if (!auth.done)
        return 0;
      g_assert_cmpuint (at, <=, size);
    }
  ask (rules);
  while ((one = take_one (rules, data + at, size - at)) != 0)
    at += one;
  return 0;
}
