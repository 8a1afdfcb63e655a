/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RunnerWire: the runner's end of the wire: messages in and out, and the threads that take them. */
#pragma once

#include <reeve-plugin-1.h>

#include "wire/wire-letter.h"

G_BEGIN_DECLS

typedef struct _RunnerWire RunnerWire;

/* Who takes messages. */
typedef struct
{
  /* At once, in the order in which they came, never two at a time. @message: (transfer none): a
   * call. TRUE: it is work for perform. */
  gboolean (*sort) (WireLetter *message, gpointer user_data);
  /* On a thread that may take its time. @message: (transfer full) */
  void (*perform) (WireLetter *message, gpointer user_data);
} RunnerWireHandlers;

/* Greets the host on the socket @fd, which it takes over. %NULL: the host is none. Blocks. */
RunnerWire *runner_wire_new (int fd, const RunnerWireHandlers *handlers, gpointer user_data);
/* Takes messages from now on; at most @workers of them are performed at once, the others wait.
 * FALSE: there can be no thread. */
gboolean runner_wire_start (RunnerWire *self, guint workers);
/* Sends a message, and gives it its number; FALSE: the host is gone. Blocks while the host takes
 * nothing. Any thread. */
gboolean runner_wire_send (RunnerWire *self, WireLetter *message);
/* (transfer full) (nullable): the host's reply to the call @message. @deadline: monotonic; 0: none.
 * %REEVE_ERROR_TIMEOUT, %REEVE_ERROR_CANCELLED, %REEVE_ERROR_FAILED: the host is gone. Blocks. */
WireLetter *runner_wire_ask (RunnerWire *self, WireLetter *message, gint64 deadline,
                             GCancellable *cancellable, GError **error);

G_END_DECLS
