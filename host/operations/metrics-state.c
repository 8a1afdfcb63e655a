/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One table of families, and a collector that looks at each room. It runs on the thread of whoever
 * reads metrics, which is a worker; what it asks for lies in memory or in /proc. */
#include "metrics-state.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define REEVE_METRICS_STATE_MICROSECOND 1e-6
#define REEVE_METRICS_STATE_MILLIONTH   1e-6

typedef enum
{
  REEVE_METRICS_STATE_BUILD,
  REEVE_METRICS_STATE_READY,
  REEVE_METRICS_STATE_SELF_TEST,
  REEVE_METRICS_STATE_SELF_TESTED,
  REEVE_METRICS_STATE_SESSIONS,
  REEVE_METRICS_STATE_WAITING,
  REEVE_METRICS_STATE_WORKERS,
  REEVE_METRICS_STATE_WORKER_QUEUE,
  REEVE_METRICS_STATE_WORKER_JOBS,
  REEVE_METRICS_STATE_WORKER_REFUSED,
  REEVE_METRICS_STATE_LEDGER_WRITABLE,
  REEVE_METRICS_STATE_LEDGER_QUEUE,
  REEVE_METRICS_STATE_SINK_LAG,
  REEVE_METRICS_STATE_SINK_WAIT,
  REEVE_METRICS_STATE_SINK_FAILING,
  REEVE_METRICS_STATE_WITNESS_FAILING,
  REEVE_METRICS_STATE_WITNESS_CONFLICTING,
  REEVE_METRICS_STATE_STORE_WRITABLE,
  REEVE_METRICS_STATE_CACHE_OPEN,
  REEVE_METRICS_STATE_CACHE_HITS,
  REEVE_METRICS_STATE_CACHE_MISSES,
  REEVE_METRICS_STATE_PLUGIN_UP,
  REEVE_METRICS_STATE_BUDGET_USED,
  REEVE_METRICS_STATE_CPU,
  REEVE_METRICS_STATE_MEMORY,
  REEVE_METRICS_STATE_FDS,
  REEVE_METRICS_STATE_MAX_FDS,
  REEVE_METRICS_STATE_THREADS,
  REEVE_METRICS_STATE_STARTED,
  REEVE_METRICS_STATE_N
} ReeveMetricsStateFamily;

struct _ReeveMetricsState
{
  ReeveServices *services;
  ReeveMetric *families[REEVE_METRICS_STATE_N];
};

#define REEVE_METRICS_STATE_LABELS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const ReeveMetricSetup reeve_metrics_state_setups[] = {
  [REEVE_METRICS_STATE_BUILD] = { .name = "build_info",
                                  .help = "The version that runs",
                                  .kind = REEVE_METRIC_GAUGE,
                                  .labels = REEVE_METRICS_STATE_LABELS ("version") },
  [REEVE_METRICS_STATE_READY]
  = { .name = "ready", .help = "1 while requests are taken", .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_SELF_TEST] = { .name = "self_test_duration_seconds",
                                      .help = "How long the gate's self-test took at the start",
                                      .unit = "seconds",
                                      .kind = REEVE_METRIC_GAUGE,
                                      .scale = REEVE_METRICS_STATE_MICROSECOND },
  [REEVE_METRICS_STATE_SELF_TESTED] = { .name = "self_test_passed",
                                        .help = "1: the gate refused at the start what it must; 0: "
                                                "it did, and the ledger could not record it",
                                        .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_SESSIONS]
  = { .name = "active_sessions", .help = "Runs that are under way", .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_WAITING] = { .name = "waiting_runs",
                                    .help = "Runs that wait for their turn",
                                    .kind = REEVE_METRIC_GAUGE,
                                    .labels = REEVE_METRICS_STATE_LABELS ("tenant_id") },
  [REEVE_METRICS_STATE_WORKERS]
  = { .name = "workers",
      .help = "Threads of the pool for work that blocks, by what they do",
      .kind = REEVE_METRIC_GAUGE,
      .labels = REEVE_METRICS_STATE_LABELS ("state") },
  [REEVE_METRICS_STATE_WORKER_QUEUE] = { .name = "worker_queue_depth",
                                         .help = "Jobs that wait for a thread of the pool",
                                         .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_WORKER_JOBS]
  = { .name = "worker_jobs", .help = "Jobs that the pool has done", .kind = REEVE_METRIC_COUNTER },
  [REEVE_METRICS_STATE_WORKER_REFUSED] = { .name = "worker_jobs_refused",
                                           .help = "Jobs that were refused, for too many waited",
                                           .kind = REEVE_METRIC_COUNTER },
  [REEVE_METRICS_STATE_LEDGER_WRITABLE]
  = { .name = "ledger_writable",
      .help = "1 while the ledger is written where it is; 0 when the disk is full or fails",
      .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_LEDGER_QUEUE] = { .name = "ledger_queue_depth",
                                         .help = "Records that wait to be written",
                                         .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_SINK_LAG] = { .name = "sink_lag_records",
                                     .help = "Records that a sink does not have yet",
                                     .kind = REEVE_METRIC_GAUGE,
                                     .labels = REEVE_METRICS_STATE_LABELS ("sink") },
  [REEVE_METRICS_STATE_SINK_WAIT]
  = { .name = "sink_lag_seconds",
      .help = "For how long the oldest record waits that a sink does not have yet",
      .unit = "seconds",
      .kind = REEVE_METRIC_GAUGE,
      .labels = REEVE_METRICS_STATE_LABELS ("sink") },
  [REEVE_METRICS_STATE_SINK_FAILING] = { .name = "sink_failing",
                                         .help = "1 while a sink takes nothing",
                                         .kind = REEVE_METRIC_GAUGE,
                                         .labels = REEVE_METRICS_STATE_LABELS ("sink") },
  [REEVE_METRICS_STATE_WITNESS_FAILING]
  = { .name = "witness_logs_failing",
      .help = "Pairs of a witness and a log that it does not cosign now",
      .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_WITNESS_CONFLICTING]
  = { .name = "witness_logs_conflicting",
      .help = "Pairs of a witness and a log that does not go on from what it has cosigned",
      .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_STORE_WRITABLE]
  = { .name = "store_writable",
      .help = "1 unless the last that was written to the store could not be",
      .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_CACHE_OPEN] = { .name = "store_cache_open",
                                       .help = "Stores of tenants that are open",
                                       .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_CACHE_HITS] = { .name = "store_cache_hits",
                                       .help = "Uses of a store that was open already",
                                       .kind = REEVE_METRIC_COUNTER },
  [REEVE_METRICS_STATE_CACHE_MISSES] = { .name = "store_cache_misses",
                                         .help = "Uses of a store that had to be opened",
                                         .kind = REEVE_METRIC_COUNTER },
  [REEVE_METRICS_STATE_PLUGIN_UP]
  = { .name = "plugin_up",
      .help = "1 for a plugin that is found or loaded, 0 for one that was refused or failed",
      .kind = REEVE_METRIC_GAUGE,
      .labels = REEVE_METRICS_STATE_LABELS ("plugin") },
  [REEVE_METRICS_STATE_BUDGET_USED]
  = { .name = "budget_used_ratio",
      .help = "What is used and reserved of the budget that is used most, of each kind",
      .unit = "ratio",
      .kind = REEVE_METRIC_GAUGE,
      .labels = REEVE_METRICS_STATE_LABELS ("scope", "tenant_id"),
      .scale = REEVE_METRICS_STATE_MILLIONTH },
  [REEVE_METRICS_STATE_CPU] = { .name = "process_cpu_seconds",
                                .help = "Time that the process used of processors",
                                .unit = "seconds",
                                .kind = REEVE_METRIC_COUNTER,
                                .scale = REEVE_METRICS_STATE_MICROSECOND },
  [REEVE_METRICS_STATE_MEMORY] = { .name = "process_resident_memory_bytes",
                                   .help = "Memory that the process holds",
                                   .unit = "bytes",
                                   .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_FDS] = { .name = "process_open_fds",
                                .help = "Files and sockets that are open",
                                .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_MAX_FDS] = { .name = "process_max_fds",
                                    .help = "Files and sockets that may be open",
                                    .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_THREADS]
  = { .name = "process_threads", .help = "Threads of the process", .kind = REEVE_METRIC_GAUGE },
  [REEVE_METRICS_STATE_STARTED] = { .name = "process_start_time_seconds",
                                    .help = "When the host was started, since the epoch",
                                    .unit = "seconds",
                                    .kind = REEVE_METRIC_GAUGE,
                                    .scale = REEVE_METRICS_STATE_MICROSECOND },
};

static void
reeve_metrics_state_set (ReeveMetricsState *self, ReeveMetricsStateFamily family, gint64 value)
{
  reeve_metrics_set (self->families[family], value, REEVE_LABELS (NULL));
}

/* ---- rooms ---- */

static void
reeve_metrics_state_collect_workers (ReeveMetricsState *self)
{
  ReeveMetric *workers = self->families[REEVE_METRICS_STATE_WORKERS];
  ReeveWorkersStatus status = { 0 };

  reeve_workers_get_status (self->services->workers, &status);
  reeve_metrics_set (workers, status.running, REEVE_LABELS ("busy"));
  reeve_metrics_set (workers, MAX ((gint64) status.threads - status.running, 0),
                     REEVE_LABELS ("idle"));
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_WORKER_QUEUE, status.depth);
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_WORKER_JOBS, (gint64) status.completed);
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_WORKER_REFUSED, (gint64) status.refused);
}

static void
reeve_metrics_state_collect_ledger (ReeveMetricsState *self)
{
  ReeveLedger *ledger = self->services->ledger;

  reeve_metrics_state_set (self, REEVE_METRICS_STATE_LEDGER_WRITABLE,
                           reeve_ledger_get_health (ledger) == REEVE_LEDGER_WELL);
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_LEDGER_QUEUE, reeve_ledger_get_depth (ledger));
}

static void
reeve_metrics_state_collect_cache (ReeveMetricsState *self)
{
  ReeveStorageCache cache = { 0 };

  if (!reeve_storage_get_cache (reeve_store_get_storage (self->services->store), &cache))
    return;
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_CACHE_OPEN, (gint64) cache.open);
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_CACHE_HITS, (gint64) cache.hits);
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_CACHE_MISSES, (gint64) cache.misses);
}

/* Of all logs together. */
static void
reeve_metrics_state_collect_sinks (ReeveMetricsState *self, const char *const *scopes)
{
  g_autoptr (JsonObject) lags = json_object_new ();
  g_autoptr (JsonObject) waits = json_object_new ();
  g_autoptr (JsonObject) failing = json_object_new ();
  g_autoptr (GList) sinks = NULL;

  for (guint i = 0; scopes[i] != NULL; i++)
    {
      g_autoptr (JsonArray) shown = reeve_sinks_show (self->services->sinks, scopes[i]);

      for (guint k = 0; k < json_array_get_length (shown); k++)
        {
          JsonObject *sink = json_array_get_object_element (shown, k);
          const char *id = reeve_json_get_string (sink, "id", "");
          gint64 fails = reeve_json_get_int (sink, "failures", 0) > 0;

          json_object_set_int_member (
              lags, id, reeve_json_get_int (lags, id, 0) + reeve_json_get_int (sink, "lag", 0));
          json_object_set_int_member (
              waits, id,
              MAX (reeve_json_get_int (waits, id, 0), reeve_json_get_int (sink, "lag_seconds", 0)));
          json_object_set_int_member (failing, id,
                                      MAX (reeve_json_get_int (failing, id, 0), fails));
        }
    }
  sinks = json_object_get_members (lags);
  for (GList *l = sinks; l != NULL; l = l->next)
    {
      reeve_metrics_set (self->families[REEVE_METRICS_STATE_SINK_LAG],
                         reeve_json_get_int (lags, l->data, 0), REEVE_LABELS (l->data));
      reeve_metrics_set (self->families[REEVE_METRICS_STATE_SINK_WAIT],
                         reeve_json_get_int (waits, l->data, 0), REEVE_LABELS (l->data));
      reeve_metrics_set (self->families[REEVE_METRICS_STATE_SINK_FAILING],
                         reeve_json_get_int (failing, l->data, 0), REEVE_LABELS (l->data));
    }
}

static void
reeve_metrics_state_collect_witnesses (ReeveMetricsState *self)
{
  ReeveWitnessesTally tally = { 0 };

  reeve_witnesses_count (self->services->witnesses, &tally);
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_WITNESS_FAILING, tally.failing);
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_WITNESS_CONFLICTING, tally.conflicting);
}

/* ---- budgets ---- */

static gint64
reeve_metrics_state_get_ratio (gint64 used, gint64 limit)
{
  return limit > 0 ? (gint64) (1e6 * (double) used / (double) limit) : 1000000;
}

static gint64
reeve_metrics_state_get_cost (JsonObject *budget, const char *member)
{
  JsonObject *money = reeve_json_get_object (budget, member);
  const char *amount = money != NULL ? reeve_json_get_string (money, "amount", NULL) : NULL;

  return amount != NULL ? (gint64) (1e6 * g_ascii_strtod (amount, NULL)) : -1;
}

/* Of a budget, or of a day or month of one. */
static gint64
reeve_metrics_state_judge_tokens (JsonObject *budget)
{
  gint64 limit = reeve_json_get_int (budget, "token_limit", -1);
  gint64 used = reeve_json_get_int (budget, "tokens_used", 0)
                + reeve_json_get_int (budget, "tokens_reserved", 0);

  return limit >= 0 ? reeve_metrics_state_get_ratio (used, limit) : 0;
}

/* In millionths: tokens of its period, its day or its month, or money, whichever is nearest to its
 * end; 0 where there is no limit. */
static gint64
reeve_metrics_state_judge_budget (JsonObject *budget)
{
  JsonArray *windows = reeve_json_get_array (budget, "windows");
  gint64 cost = reeve_metrics_state_get_cost (budget, "cost_limit");
  gint64 ratio = reeve_metrics_state_judge_tokens (budget);

  for (guint i = 0; windows != NULL && i < json_array_get_length (windows); i++)
    ratio = MAX (ratio,
                 reeve_metrics_state_judge_tokens (json_array_get_object_element (windows, i)));
  if (cost >= 0)
    ratio = MAX (ratio, reeve_metrics_state_get_ratio (
                            reeve_metrics_state_get_cost (budget, "cost_used")
                                + reeve_metrics_state_get_cost (budget, "cost_reserved"),
                            cost));
  return ratio;
}

/* The most used of each kind: org, agents, users, keys, workspaces. */
static void
reeve_metrics_state_collect_budgets (ReeveMetricsState *self, const char *tenant_id)
{
  struct
  {
    const char *kind;
    gint64 most;
  } rows[]
      = { { "org", -1 }, { "agents", -1 }, { "users", -1 }, { "keys", -1 }, { "workspaces", -1 } };
  g_autoptr (JsonArray) budgets = NULL;

  if (!reeve_budgets_is_active (self->services->budgets, tenant_id))
    return;
  budgets = reeve_budgets_list (self->services->budgets, tenant_id);
  for (guint i = 0; i < json_array_get_length (budgets); i++)
    {
      JsonObject *budget = json_array_get_object_element (budgets, i);
      const char *scope = reeve_json_get_string (budget, "scope", "");

      for (guint k = 0; k < G_N_ELEMENTS (rows); k++)
        if (g_str_has_prefix (scope, rows[k].kind))
          rows[k].most = MAX (rows[k].most, reeve_metrics_state_judge_budget (budget));
    }
  for (guint k = 0; k < G_N_ELEMENTS (rows); k++)
    if (rows[k].most >= 0)
      reeve_metrics_set (self->families[REEVE_METRICS_STATE_BUDGET_USED], rows[k].most,
                         REEVE_LABELS (rows[k].kind, tenant_id));
}

static void
reeve_metrics_state_collect_plugins (ReeveMetricsState *self)
{
  g_autoptr (GPtrArray) entries = reeve_registry_list (self->services->registry);

  for (guint i = 0; i < entries->len; i++)
    {
      const ReeveRegistryEntry *entry = entries->pdata[i];

      reeve_metrics_set (self->families[REEVE_METRICS_STATE_PLUGIN_UP],
                         entry->state == REEVE_PLUGIN_STATE_FOUND
                             || entry->state == REEVE_PLUGIN_STATE_LOADED,
                         REEVE_LABELS (entry->id));
    }
}

/* ---- the process ---- */

/* "." and ".." are no files, and the folder itself is one while it is read. */
static gint64
reeve_metrics_state_count_files (const char *path, gint64 besides)
{
  DIR *folder = opendir (path);
  gint64 count = -besides;

  if (folder == NULL)
    return 0;
  while (readdir (folder) != NULL)
    count++;
  closedir (folder);
  return MAX (count, 0);
}

static gint64
reeve_metrics_state_read_memory (void)
{
  g_autofree char *text = NULL;
  unsigned long size = 0;
  unsigned long resident = 0;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL)
      || sscanf (text, "%lu %lu", &size, &resident) != 2)
    return 0;
  return (gint64) resident * sysconf (_SC_PAGESIZE);
}

static void
reeve_metrics_state_collect_process (ReeveMetricsState *self)
{
  struct rusage usage = { 0 };
  struct rlimit files = { 0 };

  if (getrusage (RUSAGE_SELF, &usage) == 0)
    reeve_metrics_state_set (self, REEVE_METRICS_STATE_CPU,
                             ((gint64) usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                                     * G_USEC_PER_SEC
                                 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  if (getrlimit (RLIMIT_NOFILE, &files) == 0)
    reeve_metrics_state_set (self, REEVE_METRICS_STATE_MAX_FDS,
                             (gint64) MIN (files.rlim_cur, (rlim_t) G_MAXINT64));
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_MEMORY, reeve_metrics_state_read_memory ());
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_FDS,
                           reeve_metrics_state_count_files ("/proc/self/fd", 3));
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_THREADS,
                           reeve_metrics_state_count_files ("/proc/self/task", 2));
}

static void
reeve_metrics_state_collect (gpointer user_data)
{
  ReeveMetricsState *self = user_data;
  ReeveServices *services = self->services;
  g_auto (GStrv) scopes = reeve_ledger_list_scopes (services->ledger, NULL);

  reeve_metrics_state_set (self, REEVE_METRICS_STATE_READY,
                           g_atomic_int_get (&services->ready) != 0);
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_SELF_TEST, services->self_test_us);
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_SELF_TESTED, services->self_tested);
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_SESSIONS,
                           reeve_runs_get_active (services->runs, NULL));
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_STORE_WRITABLE,
                           reeve_store_is_writable (services->store, FALSE));
  reeve_metrics_state_collect_workers (self);
  reeve_metrics_state_collect_ledger (self);
  reeve_metrics_state_collect_cache (self);
  reeve_metrics_state_collect_plugins (self);
  reeve_metrics_state_collect_process (self);
  if (scopes == NULL)
    return;
  reeve_metrics_state_collect_witnesses (self);
  reeve_metrics_state_collect_sinks (self, (const char *const *) scopes);
  for (guint i = 0; scopes[i] != NULL; i++)
    {
      if (strcmp (scopes[i], REEVE_SCOPE_PLATFORM) != 0)
        reeve_metrics_set (self->families[REEVE_METRICS_STATE_WAITING],
                           reeve_runs_get_waiting (self->services->runs, scopes[i]),
                           REEVE_LABELS (scopes[i]));
      reeve_metrics_state_collect_budgets (self, scopes[i]);
    }
}

/**
 * reeve_metrics_state_new:
 * @services: every room of the host, with its registry of metrics
 *
 * Returns: (transfer full): what looks at them when metrics are read
 */
ReeveMetricsState *
reeve_metrics_state_new (ReeveServices *services)
{
  ReeveMetricsState *self = g_new0 (ReeveMetricsState, 1);

  self->services = services;
  for (guint i = 0; i < REEVE_METRICS_STATE_N; i++)
    self->families[i] = reeve_metrics_add (services->metrics, &reeve_metrics_state_setups[i]);
  reeve_metrics_set (self->families[REEVE_METRICS_STATE_BUILD], 1, REEVE_LABELS (REEVE_VERSION));
  reeve_metrics_state_set (self, REEVE_METRICS_STATE_STARTED, services->started_at);
  reeve_metrics_add_collector (services->metrics, reeve_metrics_state_collect, self);
  return self;
}

void
reeve_metrics_state_free (ReeveMetricsState *self)
{
  g_free (self);
}
