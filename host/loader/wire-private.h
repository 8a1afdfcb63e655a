/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of ReeveWire: wire.c has the calls, wire-open.c the beginning and the end. */
#pragma once

#include "wire.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* A call from its message to the runner's answer; under the wire's lock. */
typedef struct
{
  guint64 number; /* serial of its message too */
  const char *interface;
  const char *member;
  ReeveContext *context;
  gint64 deadline;
  gboolean left; /* nobody waits any more */
  gboolean cancelled;
  GDBusMessage *reply;
  GError *error;
  int buffer; /* for a body; -1: none */
  gsize buffer_size;
  GCond changed;
} ReeveWireUnderWay;

struct _ReeveWire
{
  gatomicrefcount references;
  ReeveWireHub *hub;
  ReeveRunner *runner;
  char *name; /* plugin id, for errors */
  GDBusConnection *connection;
  ReeveWirePassage *passage;
  guint filter;
  guint max_calls;
  GPtrArray *types; /* names */
  GArray *kinds;    /* ReeveWireKinds, beside the names */
  GMutex lock;
  guint32 last;      /* number of a call */
  GHashTable *calls; /* number -> ReeveWireUnderWay */
  GError *ended;     /* (nullable) why */
};

GDBusMessage *reeve_wire_filter (GDBusConnection *connection, GDBusMessage *message,
                                 gboolean incoming, gpointer user_data);
/* Whoever waits gets @why, or why it ended before; what nobody waits for is let go. */
void reeve_wire_fail_calls (ReeveWire *self, const GError *why);
void reeve_wire_on_ended (gpointer user_data, const GError *reason);
gint64 reeve_wire_on_overdue (gpointer user_data, gint64 now, GError **kill);

G_END_DECLS
