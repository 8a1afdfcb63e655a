/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table knows which operation shows what another changes: it is asked here, by the host itself,
 * so that no operation has to tell how it found things. */
#include "gate-state.h"

static void
reeve_gate_state_on_end (ReeveCall *call, gpointer data)
{
  gboolean *ended = data;

  *ended = TRUE;
}

/* A call of @read for the thing that @call names. */
static ReeveCall *
reeve_gate_state_make (ReeveCall *call, const ReeveOperation *read)
{
  ReeveCall *inner = reeve_call_new (read, NULL, "internal");
  JsonObject *params = json_object_new ();

  for (const ReeveParameter *p = read->parameters; p->name != NULL; p++)
    if (json_object_has_member (call->params, p->name))
      json_object_set_member (params, p->name,
                              json_node_copy (json_object_get_member (call->params, p->name)));
  json_object_seal (params);
  reeve_call_take_params (inner, params);
  reeve_call_take_caller (inner, reeve_caller_ref (call->caller));
  return inner;
}

/* (transfer full) (nullable): the thing; NULL: there is none */
static JsonNode *
reeve_gate_state_read (ReeveGatePass *pass)
{
  const char *name = pass->call->operation->state;
  const ReeveOperation *read = name != NULL ? reeve_operation_find (name) : NULL;
  g_autoptr (ReeveCall) inner = NULL;
  gboolean ended = FALSE;

  if (read == NULL || pass->call->params == NULL)
    return NULL;
  inner = reeve_gate_state_make (pass->call, read);
  reeve_call_set_end (inner, reeve_gate_state_on_end, &ended);
  read->func (inner, pass->services);
  g_return_val_if_fail (ended, NULL);
  if (inner->error != NULL && !g_error_matches (inner->error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_warning ("%s: looking at what it changes: %s", pass->call->operation->name,
               inner->error->message);
  return inner->error == NULL && inner->result != NULL ? json_node_ref (inner->result) : NULL;
}

char *
reeve_gate_state_digest (ReeveGatePass *pass)
{
  g_autoptr (JsonNode) state = reeve_gate_state_read (pass);

  return state != NULL
             ? reeve_admission_digest_state (pass->services->admission, pass->call->caller, state)
             : NULL;
}

ReeveAdmitted *
reeve_gate_state_begin (ReeveGatePass *pass, GError **error)
{
  g_autofree char *state = reeve_gate_state_digest (pass);
  ReeveAdmissionRequest request = { 0 };

  reeve_gate_pass_describe (pass, &request);
  request.state_digest = state;
  return reeve_admission_begin (pass->services->admission, &request, error);
}
