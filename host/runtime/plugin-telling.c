/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Series are bounded for each plugin by itself, so that none takes the room of another. A record
 * has the plugin's word and the digest of what it says, as other records have: no text of its own.
 */
#include "plugin-telling.h"

#include <math.h>
#include <string.h>

#include "base/digests.h"
#include "governance/rate-limits.h"

#define REEVE_PLUGIN_TELLING_NAME  48 /* letters of a name, and of an event's word */
#define REEVE_PLUGIN_TELLING_LABEL 64 /* bytes of a label */
/* what is counted is an integer: thousandths */
#define REEVE_PLUGIN_TELLING_SCALE 1000
/* of what is timed: microseconds */
#define REEVE_PLUGIN_TELLING_TIME_SCALE 1000000
/* names that the registry tells apart: as many plugins as use up what is theirs */
#define REEVE_PLUGIN_TELLING_NAMES 4096

typedef enum
{
  REEVE_PLUGIN_TELLING_COUNTER,
  REEVE_PLUGIN_TELLING_GAUGE,
  REEVE_PLUGIN_TELLING_TIMER,
  REEVE_PLUGIN_TELLING_N_KINDS
} ReevePluginTellingKind;

/* What may be told, as parameter `kind` names it. */
typedef struct
{
  const char *word;
  ReeveMetricSetup setup;
  double least, most; /* of a value */
  double otherwise;   /* the value where none is given; NAN: one must be */
} ReevePluginTellingRow;

/* µs: from a lookup in memory to a batch */
static const gint64 reeve_plugin_telling_times[]
    = { 1000,    5000,    10000,    50000,    100000,   250000,    500000,
        1000000, 2500000, 10000000, 30000000, 60000000, 300000000, 900000000 };

static const ReevePluginTellingRow reeve_plugin_telling_rows[REEVE_PLUGIN_TELLING_N_KINDS] = {
  [REEVE_PLUGIN_TELLING_COUNTER] = {
    .word = "counter",
    .setup = { .name = "plugin_count",
               .help = "What plugins count",
               .kind = REEVE_METRIC_COUNTER,
               .scale = 1.0 / REEVE_PLUGIN_TELLING_SCALE },
    .most = 1e12,
    .otherwise = 1,
  },
  [REEVE_PLUGIN_TELLING_GAUGE] = {
    .word = "gauge",
    .setup = { .name = "plugin_value",
               .help = "What plugins measure",
               .kind = REEVE_METRIC_GAUGE,
               .scale = 1.0 / REEVE_PLUGIN_TELLING_SCALE },
    .least = -1e12,
    .most = 1e12,
    .otherwise = NAN,
  },
  [REEVE_PLUGIN_TELLING_TIMER] = {
    .word = "timer",
    .setup = { .name = "plugin_duration_seconds",
               .help = "What plugins time",
               .unit = "seconds",
               .kind = REEVE_METRIC_HISTOGRAM,
               .scale = 1.0 / REEVE_PLUGIN_TELLING_TIME_SCALE,
               .bounds = reeve_plugin_telling_times,
               .n_bounds = G_N_ELEMENTS (reeve_plugin_telling_times) },
    .most = 1e9,
    .otherwise = NAN,
  },
};

struct _ReevePluginTelling
{
  ReeveLedger *ledger;
  ReeveMetric *families[REEVE_PLUGIN_TELLING_N_KINDS]; /* (nullable) each */
  ReeveRateLimits *limits;
  GMutex mutex;
  GHashTable *plugins; /* with mutex: id -> GHashTable of its series */
};

static gpointer
reeve_plugin_telling_refuse (const char *capability, const char *member, const char *why,
                             GError **error)
{
  g_autofree char *pointer = g_strconcat ("/", member, NULL);

  reeve_error_set_member (error, pointer, "%s: %s %s", capability, member, why);
  return NULL;
}

static gboolean
reeve_plugin_telling_is_name (const char *text)
{
  if (text == NULL || !g_ascii_islower (*text) || strlen (text) > REEVE_PLUGIN_TELLING_NAME)
    return FALSE;
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_islower (*p) && !g_ascii_isdigit (*p) && *p != '_')
      return FALSE;
  return TRUE;
}

/* Is it that often? */
static gboolean
reeve_plugin_telling_take (ReevePluginTelling *self, const char *capability, const char *subject,
                           guint per_minute, GError **error)
{
  ReeveRateLimitsState state = { 0 };
  GError *local = NULL;

  if (reeve_rate_limits_take (self->limits, capability, subject, per_minute,
                              g_get_monotonic_time (), &state))
    return TRUE;
  local = g_error_new (REEVE_ERROR, REEVE_ERROR_RATE_LIMITED,
                       "%s: a plugin calls it %u times a minute at most", capability, per_minute);
  reeve_error_set_wait (local, state.wait);
  g_propagate_error (error, local);
  return FALSE;
}

static JsonNode *
reeve_plugin_telling_answer (JsonObject *answer)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, answer);
  return node;
}

/* ---- metrics ---- */

/* May that plugin have that series? */
static gboolean
reeve_plugin_telling_claim (ReevePluginTelling *self, const char *plugin_id, const char *kind,
                            const char *name, const char *label)
{
  g_autofree char *key = g_strjoin ("\n", kind, name, label, NULL);
  GHashTable *series = NULL;
  gboolean has = FALSE;

  g_mutex_lock (&self->mutex);
  series = g_hash_table_lookup (self->plugins, plugin_id);
  if (series == NULL)
    {
      series = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      g_hash_table_insert (self->plugins, g_strdup (plugin_id), series);
    }
  has = g_hash_table_contains (series, key);
  if (!has && g_hash_table_size (series) < REEVE_PLUGIN_TELLING_SERIES)
    has = g_hash_table_add (series, g_steal_pointer (&key));
  g_mutex_unlock (&self->mutex);
  return has;
}

/* REEVE_PLUGIN_TELLING_N_KINDS: there is none of that name. */
static ReevePluginTellingKind
reeve_plugin_telling_find_kind (const char *word)
{
  ReevePluginTellingKind kind = REEVE_PLUGIN_TELLING_COUNTER;

  while (kind < REEVE_PLUGIN_TELLING_N_KINDS
         && strcmp (reeve_plugin_telling_rows[kind].word, word) != 0)
    kind++;
  return kind;
}

static gboolean
reeve_plugin_telling_read_value (JsonObject *object, const ReevePluginTellingRow *row,
                                 double *value)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, "value") : NULL;
  GType type = node != NULL ? json_node_get_value_type (node) : G_TYPE_INVALID;

  *value = row->otherwise;
  if (node == NULL)
    return !isnan (*value);
  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
    return FALSE;
  *value = json_node_get_double (node);
  return isfinite (*value) && *value >= row->least && *value <= row->most;
}

static void
reeve_plugin_telling_note (ReevePluginTelling *self, ReevePluginTellingKind kind, double value,
                           const char *const *labels)
{
  ReeveMetric *family = self->families[kind];

  if (family == NULL)
    return;
  if (kind == REEVE_PLUGIN_TELLING_COUNTER)
    reeve_metrics_count (family, (gint64) llround (value * REEVE_PLUGIN_TELLING_SCALE), labels);
  else if (kind == REEVE_PLUGIN_TELLING_GAUGE)
    reeve_metrics_set (family, (gint64) llround (value * REEVE_PLUGIN_TELLING_SCALE), labels);
  else
    reeve_metrics_observe (family, (gint64) llround (value * REEVE_PLUGIN_TELLING_TIME_SCALE),
                           labels);
}

/* {name, kind?, value?, label?} */
static JsonNode *
reeve_plugin_telling_count (const ReeveCapabilityCaller *caller, JsonNode *params,
                            gpointer user_data, GError **error)
{
  ReevePluginTelling *self = user_data;
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL;
  const char *name = reeve_json_get_string (object, "name", NULL);
  const char *word = reeve_json_get_string (object, "kind", "counter");
  const char *label = reeve_json_get_string (object, "label", "");
  ReevePluginTellingKind kind = reeve_plugin_telling_find_kind (word);
  double value = 0;

  if (!reeve_plugin_telling_is_name (name))
    return reeve_plugin_telling_refuse (
        "metrics", "name", "is 1 to 48 letters a to z, digits and _, a letter first", error);
  if (kind == REEVE_PLUGIN_TELLING_N_KINDS)
    return reeve_plugin_telling_refuse ("metrics", "kind", "is counter, gauge or timer", error);
  if (strlen (label) > REEVE_PLUGIN_TELLING_LABEL
      || strspn (label, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_.:/-") != strlen (label))
    return reeve_plugin_telling_refuse ("metrics", "label",
                                        "is at most 64 letters, digits and _ . : / -", error);
  if (!reeve_plugin_telling_read_value (object, &reeve_plugin_telling_rows[kind], &value))
    return reeve_plugin_telling_refuse ("metrics", "value",
                                        "is a number of at most 10^12 and, but of a gauge, not "
                                        "negative; of a timer seconds, at most 10^9",
                                        error);
  if (!reeve_plugin_telling_take (self, "metrics", caller->plugin_id, REEVE_PLUGIN_TELLING_COUNTS,
                                  error))
    return NULL;
  if (!reeve_plugin_telling_claim (self, caller->plugin_id, word, name, label))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "metrics: a plugin has %d series at most: names, each with its labels",
                   REEVE_PLUGIN_TELLING_SERIES);
      return NULL;
    }
  reeve_plugin_telling_note (self, kind, value, REEVE_LABELS (caller->plugin_id, name, label));
  return reeve_plugin_telling_answer (json_object_new ());
}

/* ---- the audit log ---- */

/* Whose record it is the host says, and in which call. (transfer full) {seq} */
static JsonNode *
reeve_plugin_telling_append (ReevePluginTelling *self, const ReeveCapabilityCaller *caller,
                             const char *word, const char *digest, GError **error)
{
  ReeveContext *context = caller->context;
  const char *user_id = reeve_context_get_user_id (context);
  const ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_EVENT,
    .scope = reeve_context_get_tenant_id (context),
    .action = "plugin.event",
    .actor_type = user_id != NULL ? "user" : "system",
    .actor_id = user_id != NULL ? user_id : "host",
    .agent_id = reeve_context_get_agent_id (context),
    .run_id = reeve_context_get_run_id (context),
    .trace_id = reeve_context_get_trace_id (context),
    .resource_type = "plugin",
    .resource_id = caller->plugin_id,
    .reason = word,
    .input_digest = digest,
    .door = "internal",
  };
  guint64 seq = reeve_ledger_append (self->ledger, &record, error);
  JsonObject *answer = NULL;

  if (seq == 0)
    {
      g_prefix_error (error, "audit.emit: ");
      return NULL;
    }
  answer = json_object_new ();
  json_object_set_int_member (answer, "seq", (gint64) seq);
  return reeve_plugin_telling_answer (answer);
}

/* {event, data?} -> {seq} */
static JsonNode *
reeve_plugin_telling_emit (const ReeveCapabilityCaller *caller, JsonNode *params,
                           gpointer user_data, GError **error)
{
  ReevePluginTelling *self = user_data;
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL;
  const char *word = reeve_json_get_string (object, "event", NULL);
  JsonNode *data = object != NULL ? json_object_get_member (object, "data") : NULL;
  const char *tenant_id = reeve_context_get_tenant_id (caller->context);
  g_autofree char *subject = NULL;
  g_autofree char *canonical = NULL;
  g_autofree char *digest = NULL;

  if (!reeve_plugin_telling_is_name (word))
    return reeve_plugin_telling_refuse (
        "audit.emit", "event", "is 1 to 48 letters a to z, digits and _, a letter first", error);
  if (tenant_id == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "audit.emit: this call is for no tenant, and each has a log of its own");
      return NULL;
    }
  subject = g_strconcat (caller->plugin_id, "/", tenant_id, NULL);
  if (!reeve_context_check (caller->context, error)
      || !reeve_plugin_telling_take (self, "audit.emit", subject, REEVE_PLUGIN_TELLING_EVENTS,
                                     error))
    return NULL;
  if (data != NULL)
    {
      canonical = reeve_json_canonical (data);
      digest = reeve_digests_sha256_hex (canonical, strlen (canonical));
    }
  return reeve_plugin_telling_append (self, caller, word, digest, error);
}

/* ---- life ---- */

static ReeveMetric *
reeve_plugin_telling_add (ReeveMetrics *metrics, const ReevePluginTellingRow *row)
{
  static const char *const labels[] = { "plugin", "measure", "detail", NULL };
  ReeveMetricSetup setup = row->setup;

  setup.labels = labels;
  setup.max_series = REEVE_PLUGIN_TELLING_NAMES;
  return reeve_metrics_add (metrics, &setup);
}

ReevePluginTelling *
reeve_plugin_telling_new (ReeveMetrics *metrics, ReeveLedger *ledger)
{
  ReevePluginTelling *self = g_new0 (ReevePluginTelling, 1);

  self->ledger = ledger;
  self->limits = reeve_rate_limits_new ();
  self->plugins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) g_hash_table_unref);
  g_mutex_init (&self->mutex);
  if (metrics == NULL)
    return self;
  reeve_metrics_bound_label (metrics, "measure", REEVE_PLUGIN_TELLING_NAMES);
  reeve_metrics_bound_label (metrics, "detail", REEVE_PLUGIN_TELLING_NAMES);
  for (gsize i = 0; i < REEVE_PLUGIN_TELLING_N_KINDS; i++)
    self->families[i] = reeve_plugin_telling_add (metrics, &reeve_plugin_telling_rows[i]);
  return self;
}

void
reeve_plugin_telling_free (ReevePluginTelling *self)
{
  g_hash_table_unref (self->plugins);
  reeve_rate_limits_free (self->limits);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/**
 * reeve_plugin_telling_provide:
 * @self: what is told; outlives @capabilities
 * @capabilities: what this host offers to plugins
 *
 * Offers `metrics`, {name, kind, value, label}, and `audit.emit`, {event, data} to {seq}: see
 * docs/plugin-guide.md.
 */
void
reeve_plugin_telling_provide (ReevePluginTelling *self, ReeveCapabilities *capabilities)
{
  reeve_capabilities_provide (capabilities, "metrics", reeve_plugin_telling_count, self);
  reeve_capabilities_provide (capabilities, "audit.emit", reeve_plugin_telling_emit, self);
}
