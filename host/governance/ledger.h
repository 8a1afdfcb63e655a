/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLedger: append-only, hash-chained record of every decision and effect, one log per scope, in
 * files of its own. */
#pragma once

#include <reeve-plugin-1.h>

#include "base/cpu-latency.h"
#include "store/store-keys.h"

G_BEGIN_DECLS

typedef enum
{
  REEVE_LEDGER_INTENT,  /* an effect will be tried */
  REEVE_LEDGER_OUTCOME, /* how it ended; names its intent */
  REEVE_LEDGER_READ,    /* something was read */
  REEVE_LEDGER_REFUSAL, /* something was refused before any effect */
  REEVE_LEDGER_EVENT    /* the host itself: started, recovered, … */
} ReeveLedgerKind;

typedef enum
{
  REEVE_OUTCOME_NONE, /* intents */
  REEVE_OUTCOME_SUCCEEDED,
  REEVE_OUTCOME_FAILED,
  REEVE_OUTCOME_BLOCKED,
  REEVE_OUTCOME_UNKNOWN
} ReeveOutcome;

/* One record. Strings are borrowed by the append functions and owned where a record was read; NULL
 * is left out. Only opaque ids, digests and words: nothing personal. */
typedef struct
{
  guint64 seq;   /* given by the ledger, from 1 */
  gint64 time;   /* µs since the epoch, given by the ledger when 0 */
  guint64 epoch; /* term of the appending host */
  ReeveLedgerKind kind;
  const char *scope;      /* tenant id or REEVE_SCOPE_PLATFORM */
  const char *action;     /* operation name: agents.execute, model.call, tool.call, … */
  const char *actor_type; /* user, service, agent, system */
  const char *actor_id;
  const char *address; /* salted digest of where a known caller called from */
  const char *key_id;
  const char *agent_id;
  const char *delegated_user_id; /* on whose behalf; NULL: the actor's own */
  const char *run_id;
  const char *resource_type;
  const char *resource_id;
  const char *tool_name;
  const char *model;
  guint64 intent;        /* seq of the intent; outcomes only */
  guint64 parent;        /* seq of the enclosing intent; 0 for none */
  const char *plugin_id; /* of a plugin that asked for it, in the call of @parent; NULL: none did */
  ReeveOutcome outcome;
  const char *reason;       /* stable word: permission_denied, timeout, … */
  const char *input_digest; /* sha256, hexadecimal */
  const char *output_digest;
  const char *state_digest; /* of what is changed: before in intents, after in outcomes */
  const char *session_id;   /* of a report of usage, as its labels: what it was used in */
  const char *department;   /* whom it is charged to */
  const char *cost_center;
  const char *project;
  gint64 kept;           /* 1: that digest is salted, and what it is of is kept in the store */
  gint64 latency_us;     /* outcomes; else 0 */
  gint64 bytes_received; /* outcomes of connections; else 0 */
  gint64 bytes_sent;     /* the same */
  gint64 input_tokens;   /* 0 when none */
  gint64 output_tokens;
  gint64 estimated;       /* 1: the service did not count, the host did */
  gint64 cost;            /* outcomes of model calls, reports: 10^-9 units of @currency */
  const char *currency;   /* the same: NULL where tokens were used and no price was known */
  gint64 reserved_tokens; /* intents of model calls under a budget */
  gint64 reserved_cost;   /* the same: 10^-9 units */
  const char *workspace_id;
  const char *door;   /* rest, dbus, internal */
  const char *source; /* pseudonym of where an unknown caller called from */
  gint64 count;       /* how many refusals this record stands for, 0: one; what a report tells */
  const char *trace_id;
  gboolean may_wait; /* not written down; of an outcome: nobody is told of it before it is durable,
                        and the next sync of its log is soon enough for that */
} ReeveLedgerRecord;

/* events of the ledger itself */
#define REEVE_LEDGER_ACTION_CREATED "ledger.created" /* a log was begun; in the platform's log */
#define REEVE_LEDGER_ACTION_ENDED                                                                  \
  "ledger.ended" /* a log went as a whole, by retention; in the platform's log */
#define REEVE_LEDGER_ACTION_RECOVERED                                                              \
  "ledger.recovered" /* an incomplete last record was cut off                                      \
                      */
#define REEVE_LEDGER_ACTION_FULL                                                                   \
  "ledger.full" /* the disk is full: from here on nothing new is begun; in the platform's log */
#define REEVE_LEDGER_ACTION_RESUMED  "ledger.resumed"  /* it can be written again */
#define REEVE_LEDGER_ACTION_LEFT     "ledger.left"     /* it goes on at the second place */
#define REEVE_LEDGER_ACTION_RETURNED "ledger.returned" /* what lay there is at home */
#define REEVE_LEDGER_ACTION_DAMAGED                                                                \
  "ledger.damaged" /* a log is not usable; in the platform's log */

#define REEVE_LEDGER_ACTION_KEY_ROTATED                                                            \
  "ledger.key_rotated" /* another key signs; in the platform's log; the resource's id is signed by \
                          both */

/* held by the host that uses the folder */
#define REEVE_LEDGER_LOCK_FILE "ledger.lock"

typedef enum
{
  REEVE_LEDGER_WELL,
  REEVE_LEDGER_AWAY,  /* records are written, some at the second place */
  REEVE_LEDGER_FULL,  /* the disk is full: reads and outcomes are recorded, nothing new is begun */
  REEVE_LEDGER_FAILED /* a log cannot be written */
} ReeveLedgerHealth;

typedef struct _ReeveInstruments ReeveInstruments;

#define REEVE_TYPE_LEDGER (reeve_ledger_get_type ())
G_DECLARE_FINAL_TYPE (ReeveLedger, reeve_ledger, REEVE, LEDGER, GObject)

/* folder: <state>/ledger; keys_folder: <state>/keys, where the signing key is made at first */
ReeveLedger *reeve_ledger_new (const char *folder, const char *keys_folder);
/* Before it is opened: what seals the signing key. */
void reeve_ledger_set_keys (ReeveLedger *self, ReeveStoreKeys *keys);
/* Before it is opened: what counts records and syncs; outlives the ledger. */
void reeve_ledger_set_instruments (ReeveLedger *self, ReeveInstruments *instruments);
const char *reeve_ledger_get_folder (ReeveLedger *self);
gboolean reeve_ledger_open (ReeveLedger *self, GError **error);
/* Finishes what was queued, signs a last checkpoint of every log. */
void reeve_ledger_close (ReeveLedger *self);
/* Any thread. */
ReeveLedgerHealth reeve_ledger_get_health (ReeveLedger *self);
/* How many records wait to be written. Any thread. */
guint reeve_ledger_get_depth (ReeveLedger *self);
void reeve_ledger_set_checkpoint_seconds (ReeveLedger *self, guint seconds);
/* Before it is opened. How often files that are complete are packed; 0, as it is at first: only by
 * reeve_ledger_pack(). */
void reeve_ledger_set_pack_seconds (ReeveLedger *self, guint seconds);
/* Packs now what is complete and signed. Blocks. */
gboolean reeve_ledger_pack (ReeveLedger *self, GError **error);
/* Before it is opened. @folder (nullable): where logs go on while theirs cannot be written. */
void reeve_ledger_set_second (ReeveLedger *self, const char *folder);
/* Before it is opened. µs: for how long at most what may wait is written and not synced. */
void reeve_ledger_set_sync_delay (ReeveLedger *self, gint64 delay);
/* (transfer full) (nullable) */
void reeve_ledger_set_latency (ReeveLedger *self, ReeveCpuLatency *latency);
/* Before it is opened: the size at which a log begins a new file. */
void reeve_ledger_set_segment_size (ReeveLedger *self, guint64 bytes);

/* Any thread. Done when durable; the callback comes in the caller's thread-default context, one
 * wake per batch. */
void reeve_ledger_append_async (ReeveLedger *self, const ReeveLedgerRecord *record,
                                GAsyncReadyCallback callback, gpointer user_data);
/* Does the calling thread hold records back until the end of its turn? */
gboolean reeve_ledger_holds_back (ReeveLedger *self);
/* Returns the sequence number, 0 on error. */
guint64 reeve_ledger_append_finish (ReeveLedger *self, GAsyncResult *result, GError **error);
/* Blocks until durable; worker threads. */
guint64 reeve_ledger_append (ReeveLedger *self, const ReeveLedgerRecord *record, GError **error);
/* Blocks until what was appended before is durable, whoever appended it, or is known not to be. */
void reeve_ledger_wait (ReeveLedger *self);

/* Filters: NULL or 0 is no filter. */
typedef struct
{
  const char *action;
  const char *actor;
  const char *agent_id;
  const char *run_id;
  const char *outcome;
  const char *delegated_user_id;
  const char *tool_name;
  const char *resource; /* its id */
  const char *kind;
  const char *text; /* stands somewhere in the record's JSON */
  gint64 from;      /* µs, inclusive */
  gint64 to;        /* µs, exclusive */
  guint64 before;   /* cursor: only smaller sequence numbers; 0: from the newest */
  guint64 after;    /* only greater sequence numbers */
  guint limit;
} ReeveLedgerFilter;

/* Worker threads. One record as the JSON object that is shown outside: seq, time, hash (hexadecimal
 * chain hash), previous_hash and the members of the record. REEVE_ERROR_NOT_FOUND. */
JsonObject *reeve_ledger_get (ReeveLedger *self, const char *scope, guint64 seq, GError **error);
/* (element-type JsonObject), newest first; *next: cursor or 0 */
GPtrArray *reeve_ledger_list (ReeveLedger *self, const char *scope, const ReeveLedgerFilter *filter,
                              guint64 *next, GError **error);
guint64 reeve_ledger_get_size (ReeveLedger *self, const char *scope);
/* The last record that retention dropped; 0: none. */
guint64 reeve_ledger_get_base (ReeveLedger *self, const char *scope);
/* How long the log was when the ledger was opened: what is older is of an earlier host. */
guint64 reeve_ledger_get_opening_size (ReeveLedger *self, const char *scope);
/* Intents without outcome, (element-type JsonObject), for recovery at start. */
GPtrArray *reeve_ledger_list_open_intents (ReeveLedger *self, const char *scope, GError **error);
char **reeve_ledger_list_scopes (ReeveLedger *self, GError **error);
/* Verifies a log as it stands now: {valid, size, root, checkpoint…, error?, bad_seq?}. */
JsonObject *reeve_ledger_verify (ReeveLedger *self, const char *scope, GError **error);
/* A C2SP tlog-proof file of one record: anybody with the public key can verify it. */
char *reeve_ledger_prove (ReeveLedger *self, const char *scope, guint64 seq, GError **error);
/* The last signed checkpoint: {size, root, checkpoint}. */
JsonObject *reeve_ledger_show_checkpoint (ReeveLedger *self, const char *scope, GError **error);

G_END_DECLS
