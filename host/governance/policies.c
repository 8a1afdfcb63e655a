/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decisions are made from the tenant's snapshot in memory. It is taken up when something of the
 * tenant first needs it, replaced as a whole after every change before the change is answered, and
 * never by an older one. */
#include "policies.h"

#include "policies-private.h"
#include "policy-trace.h"

#define REEVE_POLICIES_RATES 65536 /* counters at once, of all tenants */

typedef struct
{
  ReevePoliciesSnapshot *snapshot; /* (nullable): not known */
  gint64 floor;                    /* nothing older is taken up */
} ReevePoliciesEntry;

struct _ReevePolicies
{
  GObject parent_instance;

  ReeveStore *store;
  ReevePolicy *shipped;
  ReevePolicyRates *rates;
  gboolean advised; /* a call needs an advice */
  GMutex lock;
  GHashTable *tenants; /* id -> ReevePoliciesEntry */
};

G_DEFINE_FINAL_TYPE (ReevePolicies, reeve_policies, G_TYPE_OBJECT)

static void
reeve_policies_entry_free (gpointer data)
{
  ReevePoliciesEntry *entry = data;

  g_clear_pointer (&entry->snapshot, reeve_policies_snapshot_unref);
  g_free (entry);
}

static void
reeve_policies_finalize (GObject *object)
{
  ReevePolicies *self = REEVE_POLICIES (object);

  g_clear_object (&self->store);
  g_clear_pointer (&self->shipped, reeve_policy_unref);
  g_clear_pointer (&self->rates, reeve_policy_rates_free);
  g_clear_pointer (&self->tenants, g_hash_table_unref);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (reeve_policies_parent_class)->finalize (object);
}

static void
reeve_policies_class_init (ReevePoliciesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_policies_finalize;
}

static void
reeve_policies_init (ReevePolicies *self)
{
  g_mutex_init (&self->lock);
  self->rates = reeve_policy_rates_new (REEVE_POLICIES_RATES);
  self->tenants
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reeve_policies_entry_free);
}

/**
 * reeve_policies_new:
 * @store: the store
 * @shipped: (nullable): the org policy of every tenant that never set or deleted one
 *
 * Returns: (transfer full): policies; no tenant's are known yet
 */
ReevePolicies *
reeve_policies_new (ReeveStore *store, ReevePolicy *shipped)
{
  ReevePolicies *self = g_object_new (REEVE_TYPE_POLICIES, NULL);

  self->store = g_object_ref (store);
  self->shipped = shipped != NULL ? reeve_policy_ref (shipped) : NULL;
  return self;
}

/**
 * reeve_policies_need_advice:
 * @self: policies
 *
 * From now on reeve_policies_check() lets no call of a tool through without an advice. Before the
 * first request.
 */
void
reeve_policies_need_advice (ReevePolicies *self)
{
  self->advised = TRUE;
}

/* ---- snapshots ---- */

ReeveStore *
reeve_policies_get_store (ReevePolicies *self)
{
  return self->store;
}

ReevePolicy *
reeve_policies_get_shipped (ReevePolicies *self)
{
  return self->shipped;
}

gboolean
reeve_policies_has_shipped (ReevePolicies *self)
{
  return self->shipped != NULL;
}

/* (transfer full) (nullable) */
ReevePoliciesSnapshot *
reeve_policies_lookup (ReevePolicies *self, const char *tenant_id)
{
  ReevePoliciesEntry *entry = NULL;
  ReevePoliciesSnapshot *snapshot = NULL;

  g_mutex_lock (&self->lock);
  entry = g_hash_table_lookup (self->tenants, tenant_id);
  if (entry != NULL && entry->snapshot != NULL)
    snapshot = reeve_policies_snapshot_ref (entry->snapshot);
  g_mutex_unlock (&self->lock);
  return snapshot;
}

/* (transfer full) (nullable) snapshot: NULL: unknown from now on */
static void
reeve_policies_install (ReevePolicies *self, const char *tenant_id, gint64 floor,
                        ReevePoliciesSnapshot *snapshot)
{
  ReevePoliciesEntry *entry = NULL;
  ReevePoliciesSnapshot *old = NULL;

  g_mutex_lock (&self->lock);
  entry = g_hash_table_lookup (self->tenants, tenant_id);
  if (entry == NULL)
    {
      entry = g_new0 (ReevePoliciesEntry, 1);
      g_hash_table_insert (self->tenants, g_strdup (tenant_id), entry);
    }
  if (floor >= entry->floor)
    {
      old = entry->snapshot;
      entry->snapshot = g_steal_pointer (&snapshot);
      entry->floor = floor;
    }
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&old, reeve_policies_snapshot_unref);
  g_clear_pointer (&snapshot, reeve_policies_snapshot_unref);
}

gboolean
reeve_policies_refresh (ReevePolicies *self, const char *tenant_id, gint64 revision, GError **error)
{
  ReevePoliciesSnapshot *snapshot
      = reeve_policies_snapshot_load (self->store, tenant_id, self->shipped, error);

  if (snapshot != NULL)
    revision = MAX (revision, reeve_policies_snapshot_get_revision (snapshot));
  reeve_policies_install (self, tenant_id, revision, snapshot);
  if (snapshot == NULL)
    g_prefix_error (error, "reading the policies of %s: ", tenant_id);
  return snapshot != NULL;
}

ReevePoliciesSnapshot *
reeve_policies_dup_snapshot (ReevePolicies *self, const char *tenant_id, GError **error)
{
  ReevePoliciesSnapshot *snapshot = NULL;

  if (!reeve_policies_prepare (self, tenant_id, error))
    return NULL;
  snapshot = reeve_policies_lookup (self, tenant_id);
  if (snapshot == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                 "the policies of %s cannot be read now", tenant_id);
  return snapshot;
}

/**
 * reeve_policies_prepare:
 * @self: policies
 * @tenant_id: whose are needed
 * @error: return location
 *
 * Blocks when they are not known yet.
 *
 * Returns: %FALSE with an error: the tenant's tools stay denied
 */
gboolean
reeve_policies_prepare (ReevePolicies *self, const char *tenant_id, GError **error)
{
  g_autoptr (ReevePoliciesSnapshot) known = reeve_policies_lookup (self, tenant_id);

  return known != NULL || reeve_policies_refresh (self, tenant_id, 0, error);
}

/**
 * reeve_policies_forget:
 * @self: policies
 * @tenant_id: a tenant that is gone
 */
void
reeve_policies_forget (ReevePolicies *self, const char *tenant_id)
{
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->tenants, tenant_id);
  g_mutex_unlock (&self->lock);
}

/* ---- decisions ---- */

/**
 * reeve_policies_decide:
 * @self: policies
 * @tenant_id: whose
 * @agent_id: (nullable): for which agent
 * @ask: what is to be decided
 * @decision: (out caller-allocates): the answer; clear it afterwards
 *
 * Any thread, no I/O. Where the policies are not known the answer is no.
 */
void
reeve_policies_decide (ReevePolicies *self, const char *tenant_id, const char *agent_id,
                       const ReevePolicyAsk *ask, ReevePolicyDecision *decision)
{
  g_autoptr (ReevePoliciesSnapshot) snapshot = reeve_policies_lookup (self, tenant_id);
  ReevePolicyAsk whole = *ask;

  if (snapshot == NULL)
    {
      reeve_policy_decision_fail (decision);
      return;
    }
  whole.tenant_id = tenant_id;
  whole.agent_id = agent_id;
  whole.rates = self->rates;
  reeve_policy_decision_make (reeve_policies_snapshot_get_org (snapshot),
                              reeve_policies_snapshot_get_agent (snapshot, agent_id), &whole,
                              decision);
}

/**
 * reeve_policies_get_limits:
 * @self: policies
 * @tenant_id: whose
 * @agent_id: (nullable): of which agent
 * @token_limit: (out): tokens of one execution; 0: no limit
 * @timeout_seconds: (out): seconds of one execution; 0: no limit
 *
 * Any thread, no I/O.
 */
void
reeve_policies_get_limits (ReevePolicies *self, const char *tenant_id, const char *agent_id,
                           gint64 *token_limit, gint64 *timeout_seconds)
{
  g_autoptr (ReevePoliciesSnapshot) snapshot = reeve_policies_lookup (self, tenant_id);
  ReevePolicy *org = snapshot != NULL ? reeve_policies_snapshot_get_org (snapshot) : NULL;
  ReevePolicy *agent
      = snapshot != NULL ? reeve_policies_snapshot_get_agent (snapshot, agent_id) : NULL;

  *token_limit = reeve_policy_merge_token_limit (org, agent);
  *timeout_seconds = reeve_policy_merge_timeout (org, agent);
}

static gboolean
reeve_policies_check_tokens (ReevePolicies *self, const ReeveAdmissionRequest *request,
                             GError **error)
{
  gint64 limit = 0;
  gint64 seconds = 0;

  if (request->estimated_tokens <= 0)
    return TRUE;
  reeve_policies_get_limits (self, reeve_caller_get_tenant_id (request->caller), request->agent_id,
                             &limit, &seconds);
  if (limit == 0 || request->estimated_tokens <= limit)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "the execution would take %" G_GINT64_FORMAT " tokens of %" G_GINT64_FORMAT
               " (token_limit_exceeded)",
               request->estimated_tokens, limit);
  return FALSE;
}

/**
 * reeve_policies_check:
 * @request: what is asked for
 * @settlement: (nullable): how it ended
 * @policies: a #ReevePolicies
 * @error: return location
 *
 * The gate's check of tool calls.
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED, whose text ends with the reason's word
 */
gboolean
reeve_policies_check (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                      gpointer policies, GError **error)
{
  ReevePolicyAsk ask = { .tool_name = request->tool_name,
                         .known = request->tool_known,
                         .hints = request->tool_hints,
                         .agent_tools = request->agent_tools,
                         .level = reeve_policy_parse_level (request->sandbox_level),
                         .arguments = request->tool_arguments,
                         .estimated_tokens = request->estimated_tokens,
                         .take = !request->confirming,
                         .counted = request->confirming };
  const ReevePolicyAdvice *advice = request->advice;
  g_auto (ReevePolicyDecision) decision = { 0 };
  g_autofree char *rule = NULL;

  if (request->tool_name == NULL)
    return reeve_policies_check_tokens (policies, request, error);
  /* what is not going to be called does not count */
  if (advice != NULL && !reeve_policy_advice_lets (advice))
    ask.counted = TRUE;
  reeve_policies_decide (policies, reeve_caller_get_tenant_id (request->caller), request->agent_id,
                         &ask, &decision);
  if (advice != NULL)
    reeve_policy_advice_apply (advice, &decision);
  else if (REEVE_POLICIES (policies)->advised && !request->confirming
           && decision.effect == REEVE_POLICY_ALLOW)
    {
      reeve_policy_decision_clear (&decision);
      reeve_policy_decision_fail (&decision);
    }
  if (decision.effect == REEVE_POLICY_ALLOW)
    return TRUE;
  rule = reeve_policy_trace_describe (&decision);
  g_message ("tool %s is refused (%s): %s", request->tool_name, decision.reason, rule);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, "%s %s (%s)",
               decision.effect == REEVE_POLICY_DENY ? "the tool policy does not allow"
                                                    : "the tool policy asks for an approval of",
               request->tool_name, decision.reason);
  return FALSE;
}
