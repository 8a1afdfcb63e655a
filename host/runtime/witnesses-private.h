/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveWitnesses share: witnesses.c (the thread, how it stands),
 * witnesses-take.c (what an answer means). */
#pragma once

#include "http-thread.h"
#include "witness-log.h"
#include "witness-post.h"
#include "witnesses.h"

G_BEGIN_DECLS

/* One configured witness; the thread's, but for the name. */
typedef struct
{
  char *name;
  char *url;
  ReeveAdmitted *admitted;
  gint64 admitted_at; /* µs */
  guint failures; /* in a row, whatever log */
  gint64 next_try;
  gboolean announced;
} ReeveWitness;

struct _ReeveWitnesses
{
  GObject parent_instance;

  ReeveLedger *ledger;
  ReeveAdmission *admission;
  ReeveHttpThread *http;
  guint quorum;
  GPtrArray *witnesses; /* of ReeveWitness; changed only before the start */
  GPtrArray *vkeys;     /* of char; the same */
  ReeveCosigners *keys; /* the same */
  GThread *thread;
  char **scopes;    /* the thread's */
  gint64 scopes_at; /* the thread's */
  GMutex mutex;
  GCond wake;
  GHashTable *logs;  /* scope -> ReeveWitnessLog: changed by the thread, under the mutex */
  gboolean stopping; /* under the mutex */
};

/* The thread: what an answer means for a log. TRUE: to be asked again, from where it stands. */
gboolean reeve_witnesses_take (ReeveWitnesses *self, ReeveWitnessLog *log, guint number,
                               const char *scope, const ReeveWitnessPost *post);

G_END_DECLS
