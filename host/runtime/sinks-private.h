/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of ReeveSinks share. */
#pragma once

#include "sinks.h"

#include "governance/ledger-feed.h"

#include "sink-position.h"

G_BEGIN_DECLS

/* One configured sink. */
typedef struct
{
  ReeveSinks *sinks;
  char *id;
  char *plugin_id;
  ReevePlugin *plugin;
  char *folder;
  char **tenants; /* (nullable): whose logs; all */
  ReeveLedgerFormat format;
  ReeveLedgerFilter filter; /* strings of @row */
  JsonObject *row;
  guint skip_after; /* 0: a record is never left out */
  GThread *thread;
  ReeveAdmitted *admitted; /* the thread's */
  gint64 admitted_at;      /* the same: µs */
  char **scopes;           /* the thread's */
  gint64 scopes_at;        /* the thread's */
  GHashTable *positions;   /* scope -> ReeveSinkPosition; under the mutex */
} ReeveSinksItem;

struct _ReeveSinks
{
  GObject parent_instance;

  ReeveRegistry *registry;
  ReeveLedger *ledger;
  ReeveAdmission *admission;
  char *folder;
  GPtrArray *items; /* of ReeveSinksItem; changed only before the start */
  GCancellable *cancellable;
  GMutex mutex;
  GCond wake;
  gboolean stopping; /* under the mutex */
};

/* (transfer none): how far a sink is with a log; its members under the mutex. Blocks. */
ReeveSinkPosition *reeve_sinks_find_position (ReeveSinksItem *item, const char *scope);

G_END_DECLS
