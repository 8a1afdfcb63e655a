/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveWitnesses share: witnesses.c (the thread, how it stands),
 * witnesses-take.c (what an answer means). */
#pragma once

#include "http-thread.h"
#include "witness-log.h"
#include "witness-post.h"
#include "witnesses.h"

G_BEGIN_DECLS

/* One configured witness, with a thread of its own: what is not said to be shared is the thread's.
 */
typedef struct
{
  ReeveWitnesses *witnesses;
  guint number;
  char *name; /* shared, and never changed */
  char *url;
  GThread *thread;
  ReeveAdmitted *admitted;
  gint64 admitted_at; /* µs */
  gint failures;      /* atomic: in a row, whatever log */
  gint64 next_try;
  gboolean announced;
  char **scopes;
  gint64 scopes_at;
} ReeveWitness;

/**
 * ReeveWitnessesAsk:
 * @note: the checkpoint that a witness was asked to cosign
 * @checkpoint: what it says
 *
 * While it is asked the log may go on.
 */
typedef struct
{
  char *note;
  ReeveCheckpoint checkpoint;
} ReeveWitnessesAsk;

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
  GMutex mutex;
  GCond wake;
  GHashTable *logs;  /* scope -> ReeveWitnessLog: under the mutex; a log once there stays */
  gboolean stopping; /* under the mutex */
};

/* The witness' thread: what an answer means for a log. TRUE: to be asked again, from where it
 * stands. */
gboolean reeve_witnesses_take (ReeveWitness *witness, ReeveWitnessLog *log, const char *scope,
                               const ReeveWitnessesAsk *ask, const ReeveWitnessPost *post);

G_END_DECLS
