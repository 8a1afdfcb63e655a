/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of ReeveWire: wire.c has the calls, wire-wait.c what comes of them, wire-open.c the
 * beginning and the end. */
#pragma once

#include "wire.h"

#include <gio/gio.h>

#include "wire-broker.h"

G_BEGIN_DECLS

/* A call from its message to the runner's answer; under the wire's lock. */
typedef struct _ReeveWireUnderWay
{
  guint64 number; /* serial of its message too */
  const char *interface;
  const char *member;
  ReeveContext *context;
  gint64 deadline;
  gboolean left; /* nobody waits any more */
  gboolean cancelled;
  gboolean waits; /* for @changed */
  GBytes *reply;  /* (nullable): as it came */
  GError *error;
  ReeveWireBuffer *buffer; /* (nullable): for a body */
  ReeveWirePassage *lent;  /* (nullable): its thread has borrowed it, and does not read yet */
  gboolean keeps;          /* @told, for its caller */
  JsonNode *told;          /* (nullable) */
  GThread *thread;         /* (nullable): that reads for it */
  ReeveWireBrokerJob *own; /* (nullable): what its thread has read, and is to answer */
  GCond changed;
} ReeveWireUnderWay;

struct _ReeveWire
{
  gatomicrefcount references;
  ReeveWireHub *hub;
  ReeveWireShare *share; /* of the workers */
  ReeveRunner *runner;
  ReeveHostTime *host_time; /* the runner's, for whoever outlives that */
  char *name;               /* plugin id, for errors */
  int wake;                 /* eventfd(2): for whoever reads */
  ReeveWireLoans *loans;
  guint max_calls;
  guint max_performed; /* that the runner performs at once: others wait in it */
  GPtrArray *types;    /* names */
  GArray *kinds;       /* ReeveWireKinds, beside the names */
  GMutex lock;
  ReeveWirePassage *passage; /* (nullable) */
  guint32 last;              /* number of a call, and of a message */
  GHashTable *calls;         /* number -> ReeveWireUnderWay */
  ReeveWireUnderWay *reader; /* (nullable): has borrowed the passage */
  GError *ended;             /* (nullable) why */
  gboolean effects;          /* reeve_wire_set_effects() */
};

void reeve_wire_under_way_free (gpointer data);
void reeve_wire_close_end (int *end);
/* What comes: reeve_wire_passage_read() calls it, and the gate. */
void reeve_wire_take (gpointer user_data, const WireMessage *message, const guint8 *data,
                      gsize length);
/* Before the message goes that the runner answers: what comes then finds its reader, and wakes
 * nobody else. On the thread that waits. */
void reeve_wire_prepare_read (ReeveWire *self, ReeveWireUnderWay *one);
/* It does not wait after all. */
void reeve_wire_drop_read (ReeveWireUnderWay *one);
/* Until there is a reply or an error, or nobody wants one any more. */
void reeve_wire_wait (ReeveWire *self, ReeveWireUnderWay *one, GCancellable *cancellable);
/* TRUE: the call is over, and the caller's alone. FALSE: it is left, and may be gone at once. */
gboolean reeve_wire_settle (ReeveWire *self, ReeveWireUnderWay *one);
/* (transfer full) (nullable): the reply, which is of its method's type; its body is not read */
WireLetter *reeve_wire_read_reply (ReeveWire *self, const ReeveWireUnderWay *one,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whoever waits gets @why, or why it ended before; what nobody waits for is let go. */
void reeve_wire_fail_calls (ReeveWire *self, const GError *why);
void reeve_wire_on_ended (gpointer user_data, const GError *reason);
gint64 reeve_wire_on_overdue (gpointer user_data, gint64 now, GError **kill);

G_END_DECLS
