/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WireMessage: one D-Bus message as it stands in bytes, looked at before GDBusMessage reads
 * it. A pure function of the bytes. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define WIRE_MESSAGE_HEAD 16 /* bytes from which a message's length is known */

/* What is said of it; texts point into its bytes, %NULL where they are not there. */
typedef struct
{
  guint8 type; /* GDBusMessageType */
  gboolean no_reply;
  guint32 serial;
  guint32 reply_serial; /* 0: none */
  guint32 n_fds;
  const char *path;
  const char *interface;
  const char *member;
  const char *error_name;
  const char *destination;
  const char *sender;
  const char *signature; /* "": no body */
  const guint8 *body;
  gsize body_length;
} WireMessage;

/* Bytes of the whole message whose first 16 are @head; 0 with %REEVE_ERROR_PLUGIN: it is none, or
 * longer than @most. */
gsize wire_message_measure (const guint8 *head, gsize most, GError **error);
/* Reads the header of a whole message. %REEVE_ERROR_PLUGIN */
gboolean wire_message_read (WireMessage *self, const guint8 *data, gsize length, GError **error);
/* Is the body what its signature says, and that without variants and descriptors? What this lets
 * through GDBusMessage reads without complaint. %REEVE_ERROR_PLUGIN */
gboolean wire_message_check_body (const WireMessage *self, GError **error);

G_END_DECLS
