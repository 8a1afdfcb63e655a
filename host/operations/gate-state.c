/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table knows which operation shows what another changes: it is asked here, by the host itself,
 * so that no operation has to tell how it found things. */
#include "gate-state.h"

#include <string.h>

#define REEVE_GATE_STATE_LIMIT 500 /* items: most that a page of any list has */
#define REEVE_GATE_STATE_PAGES                                                                     \
  40 /* of a list; of a longer one what stands behind them is not seen */

static void
reeve_gate_state_on_end (ReeveCall *call, gpointer data)
{
  gboolean *ended = data;

  *ended = TRUE;
}

/* (nullable): a name in the path of what shows the thing: as it was told; of what was made, as the
 * result has it; of one's own, who asks. */
static const char *
reeve_gate_state_name (ReeveCall *call, const char *name)
{
  const char *told = reeve_json_get_string (call->params, name, NULL);

  if (told == NULL && strcmp (name, "user_id") == 0
      && g_str_has_prefix (call->operation->path, "/api/v1/me/"))
    return reeve_caller_get_user_id (call->caller);
  if (told == NULL && call->result != NULL && JSON_NODE_HOLDS_OBJECT (call->result))
    told = reeve_json_get_string (json_node_get_object (call->result), name, NULL);
  return told;
}

/* A call of @read for the thing that @call names; of a list as much as a page has, behind @cursor
 * (nullable). */
static ReeveCall *
reeve_gate_state_make (ReeveCall *call, const ReeveOperation *read, const char *cursor)
{
  ReeveCall *inner = reeve_call_new (read, NULL, "internal");
  JsonObject *params = json_object_new ();

  for (const ReeveParameter *p = read->parameters; p->name != NULL; p++)
    if (p->place == REEVE_PARAMETER_PATH)
      json_object_set_string_member (params, p->name, reeve_gate_state_name (call, p->name));
    else if (strcmp (p->name, "limit") == 0)
      json_object_set_int_member (params, p->name, REEVE_GATE_STATE_LIMIT);
    else if (cursor != NULL && strcmp (p->name, "cursor") == 0)
      json_object_set_string_member (params, p->name, cursor);
  json_object_seal (params);
  reeve_call_take_params (inner, params);
  reeve_call_take_caller (inner, reeve_caller_ref (call->caller));
  return inner;
}

/* Is all known that the path of @read names? */
static gboolean
reeve_gate_state_is_named (ReeveCall *call, const ReeveOperation *read)
{
  for (const ReeveParameter *p = read->parameters; p->name != NULL; p++)
    if (p->place == REEVE_PARAMETER_PATH && reeve_gate_state_name (call, p->name) == NULL)
      return FALSE;
  return TRUE;
}

/* (nullable): what shows the thing that @call changes */
static const ReeveOperation *
reeve_gate_state_find (ReeveCall *call)
{
  for (const char *const *name = call->operation->states; *name != NULL; name++)
    {
      const ReeveOperation *read = reeve_operation_find (*name);

      if (read != NULL && reeve_gate_state_is_named (call, read))
        return read;
    }
  return NULL;
}

/* (transfer full) (nullable): what @read answers, of a list one page */
static JsonNode *
reeve_gate_state_ask (ReeveGatePass *pass, const ReeveOperation *read, const char *cursor)
{
  g_autoptr (ReeveCall) inner = reeve_gate_state_make (pass->call, read, cursor);
  gboolean ended = FALSE;

  reeve_call_set_end (inner, reeve_gate_state_on_end, &ended);
  read->func (inner, pass->services);
  g_return_val_if_fail (ended, NULL);
  if (inner->error != NULL && !g_error_matches (inner->error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_warning ("%s: looking at what it changes: %s", pass->call->operation->name,
               inner->error->message);
  return inner->error == NULL && inner->result != NULL ? json_node_ref (inner->result) : NULL;
}

/* (nullable): where a list goes on behind @page */
static const char *
reeve_gate_state_next (JsonNode *page)
{
  return page != NULL && JSON_NODE_HOLDS_OBJECT (page)
             ? reeve_json_get_string (json_node_get_object (page), "next_cursor", NULL)
             : NULL;
}

static void
reeve_gate_state_add (JsonNode *page, JsonArray *items)
{
  JsonArray *more = reeve_json_get_array (json_node_get_object (page), "items");

  for (guint i = 0; more != NULL && i < json_array_get_length (more); i++)
    json_array_add_element (items, json_node_ref (json_array_get_element (more, i)));
}

/* (transfer full) (nullable): all of a list whose first page is @first, as one page would show it:
 * what stands behind a page may be what was changed. */
static JsonNode *
reeve_gate_state_gather (ReeveGatePass *pass, const ReeveOperation *read, JsonNode *first)
{
  g_autoptr (JsonNode) page = json_node_ref (first);
  g_autoptr (JsonArray) items = json_array_new ();
  g_autoptr (JsonObject) all = json_object_new ();
  JsonNode *state = NULL;

  reeve_gate_state_add (page, items);
  for (guint n = 1; n < REEVE_GATE_STATE_PAGES && reeve_gate_state_next (page) != NULL; n++)
    {
      JsonNode *next = reeve_gate_state_ask (pass, read, reeve_gate_state_next (page));

      json_node_unref (page);
      page = next;
      if (page == NULL)
        return NULL;
      reeve_gate_state_add (page, items);
    }
  json_object_set_array_member (all, "items", g_steal_pointer (&items));
  if (reeve_gate_state_next (page) != NULL)
    json_object_set_string_member (all, "next_cursor", reeve_gate_state_next (page));
  else
    json_object_set_null_member (all, "next_cursor");
  state = json_node_init_object (json_node_alloc (), all);
  json_node_seal (state);
  return state;
}

JsonNode *
reeve_gate_state_read (ReeveGatePass *pass)
{
  const ReeveOperation *read
      = pass->call->params != NULL ? reeve_gate_state_find (pass->call) : NULL;
  g_autoptr (JsonNode) first = read != NULL ? reeve_gate_state_ask (pass, read, NULL) : NULL;

  return reeve_gate_state_next (first) != NULL ? reeve_gate_state_gather (pass, read, first)
                                               : g_steal_pointer (&first);
}

ReeveAdmitted *
reeve_gate_state_begin (ReeveGatePass *pass, GError **error)
{
  g_autoptr (JsonNode) state = reeve_gate_state_read (pass);
  ReeveAdmissionRequest request = { 0 };

  reeve_gate_pass_describe (pass, &request);
  request.state = state;
  return reeve_admission_begin (pass->services->admission, &request, error);
}
