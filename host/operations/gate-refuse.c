/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scanner leaves tracks: those of who is not known are counted together, as all refusals of
 * theirs are, and who is known is held to the limits of everything else. Whether what is shown is
 * good changes nothing of the answer. */
#include "gate-refuse.h"

#include "call-trace.h"
#include "gate-identify.h"
#include "gate-pass.h"

static const ReeveParameter reeve_gate_refuse_parameters[] = { { 0 } };
static const ReeveIdentifier reeve_gate_refuse_identifiers[] = { { 0 } };
static const char *const reeve_gate_refuse_states[] = { NULL };

const ReeveOperation reeve_gate_refuse_unknown = {
  .name = "requests.unknown",
  .summary = "",
  .klass = REEVE_CLASS_READ,
  .action = "requests.unknown",
  .parameters = reeve_gate_refuse_parameters,
  .identifiers = reeve_gate_refuse_identifiers,
  .states = reeve_gate_refuse_states,
};

static void
reeve_gate_refuse_end (ReeveGatePass *pass)
{
  reeve_call_fail (pass->call, g_steal_pointer (&pass->refused));
}

/* It is recorded where he wants to act, if he may act there. Of those that are beyond the limits
 * the first is recorded. */
static void
reeve_gate_refuse_know (ReeveGatePass *pass, ReeveCaller *caller)
{
  ReeveCall *call = pass->call;
  ReeveRateLimits *limits = pass->services->rate_limits;
  ReeveCaller *there = NULL;

  reeve_call_take_caller (call, caller);
  if (call->tenant_header != NULL)
    there = reeve_authentication_enter_tenant (pass->services->authentication, caller,
                                               call->tenant_header, NULL);
  if (there != NULL)
    reeve_call_take_caller (call, there);
  reeve_call_trace_know (call);
  reeve_log_restore_context (call->log);
  if (limits != NULL
      && !reeve_rate_limits_admit (
          limits, reeve_caller_get_home_tenant_id (caller), reeve_caller_get_user_id (caller),
          reeve_caller_get_key_id (caller), reeve_caller_get_rate_limit (caller),
          g_get_monotonic_time (), &call->rate))
    call->recorded = !call->rate.first;
  reeve_gate_refuse_end (pass);
}

/* (transfer full) caller, error */
static void
reeve_gate_refuse_on_identified (ReeveGatePass *pass, ReeveCaller *caller, GError *error)
{
  if (caller != NULL)
    reeve_gate_refuse_know (pass, caller);
  else
    {
      g_error_free (error);
      reeve_gate_refuse_end (pass);
    }
}

/**
 * reeve_gate_refuse_call:
 * @services: what operations work with
 * @call: filled in by its door as far as it was looked at
 * @error: (transfer full): why it is refused
 *
 * Records a refusal of whoever shows what @call has; the call ends with @error. Its door need not
 * wait for that. Called on the thread of the call's context, which is its thread-default. Never
 * blocks; the call's done function may be called before this returns.
 */
void
reeve_gate_refuse_call (ReeveServices *services, ReeveCall *call, GError *error)
{
  ReeveGatePass *pass = reeve_gate_pass_new (services, call);
  g_auto (ReeveLogScope) scope = { NULL };

  pass->refused = error;
  reeve_call_trace_begin (call, services->tracer);
  scope = reeve_log_scope (call->log);
  reeve_call_set_end (call, reeve_gate_pass_end, pass);
  if (call->caller != NULL)
    reeve_gate_refuse_know (pass, reeve_caller_ref (call->caller));
  else if (call->token == NULL || *call->token == '\0')
    reeve_gate_refuse_end (pass);
  else
    reeve_gate_identify (pass, reeve_gate_refuse_on_identified);
}

/**
 * reeve_gate_refuse_stranger:
 * @services: what operations work with
 * @action: what is refused
 * @door: where
 * @peer_address: (nullable): whose connection it is
 * @code: why
 *
 * Records a refusal of which there is no call. Many of one address are recorded together.
 */
void
reeve_gate_refuse_stranger (ReeveServices *services, const char *action, const char *door,
                            const char *peer_address, ReeveError code)
{
  g_autoptr (GError) error = g_error_new_literal (REEVE_ERROR, (gint) code, action);
  const ReeveAdmissionRequest request
      = { .operation = action, .door = door, .peer_address = peer_address };

  reeve_admission_refuse (services->admission, &request, error);
}
