/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveLedger share: ledger.c (opening, appending, reading),
 * ledger-care.c (signing, and what is done when the disk fails). */
#pragma once

#include "ledger-key.h"
#include "ledger-reserve.h"
#include "ledger-signer.h"
#include "ledger-writer.h"
#include "ledger.h"

G_BEGIN_DECLS

/* how often it is tried again while the disk fails */
#define REEVE_LEDGER_TRY_SECONDS 1

struct _ReeveLedger
{
  GObject parent_instance;

  char *folder;
  char *keys_folder;
  ReeveStoreKeys *keys; /* NULL: nothing is encrypted */
  int lock_fd;
  guint64 segment_size;
  gint64 sync_delay; /* µs */
  guint ahead_after; /* so many syncs are done without a write-ahead file */
  ReeveLedgerKey *key;
  ReeveLedgerWriter *writer;
  ReeveInstruments *instruments; /* (nullable): not owned */
  ReeveCpuLatency *latency;      /* (nullable): the writer's while its thread runs */

  GMutex mutex;
  GHashTable *logs;  /* scope -> ReeveLedgerLog: under the mutex; a log once there stays */
  GHashTable *ended; /* the same, of logs that have ended: who has one still may look at it */
  GHashTable *ports; /* GMainContext -> ReeveLedgerPort: under the mutex */

  char *second_folder;       /* (nullable): as it is configured */
  ReeveLedgerSecond *second; /* (nullable) */
  GPtrArray *backs;          /* of ReeveLedgerBack: what this start brought home */
  ReeveLedgerReserve *reserve;
  gint rotating;             /* atomic: the key is being changed */
  gint in_trouble;           /* atomic: it was said that the disk fails */
  ReeveLedgerSigner *signer; /* atomic: the writer's thread looks for it */
  ReeveLedgerSigner *packer; /* (nullable) */
  guint pack_seconds;        /* 0: none */
  gint pack_stop;            /* atomic */
  guint checkpoint_seconds;  /* atomic */
};

/* Records that nobody waits for; @resource_id says of what. */
/* a log is closed for what was found in its files */
void reeve_ledger_note_damage (ReeveLedger *self, const char *scope, const GError *why);
void reeve_ledger_note_event (ReeveLedger *self, const char *scope, const char *action,
                              const char *resource_id, const char *reason);
/* (transfer none) %REEVE_ERROR_NOT_FOUND */
ReeveLedgerLog *reeve_ledger_need_log (ReeveLedger *self, const char *scope, GError **error);
/* The signer's. */
void reeve_ledger_care (gpointer data);
void reeve_ledger_try_last (ReeveLedger *self);
void reeve_ledger_sign_all (ReeveLedger *self);
/* Packs what is complete, now and then, if it is to. */
void reeve_ledger_start_packing (ReeveLedger *self);
void reeve_ledger_stop_packing (ReeveLedger *self);
/* The writer's. */
gboolean reeve_ledger_on_trouble (const GError *error, gboolean begins, gpointer user_data);
void reeve_ledger_on_left (const char *scope, guint64 from, const GError *why, gpointer user_data);
/* Before logs are opened: what lies at a second place comes home. */
gboolean reeve_ledger_open_second (ReeveLedger *self, GError **error);
/* May a record of that kind be begun? */
gboolean reeve_ledger_has_room (ReeveLedger *self, ReeveLedgerKind kind, GError **error);

G_END_DECLS
