/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a door does with a call: fills it in before, and reads the answer after. */
#include "call-private.h"

#include <string.h>

/* ---- the door fills in ---- */

/**
 * reeve_call_set_credentials:
 * @self: a call
 * @scheme: (nullable): bearer, basic, api-key or certificate; %NULL when none were shown
 * @token: (nullable): what followed it
 * @peer_address: (nullable): numeric address of the caller
 *
 * What the caller showed.
 */
void
reeve_call_set_credentials (ReeveCall *self, const char *scheme, const char *token,
                            const char *peer_address)
{
  g_free (self->scheme);
  g_free (self->token);
  g_free (self->peer_address);
  self->scheme = g_strdup (scheme);
  self->token = g_strdup (token);
  self->peer_address = g_strdup (peer_address);
}

/**
 * reeve_call_skip_scheme:
 * @authorization: (nullable): credentials as RFC 9110 has them
 * @scheme: name of a scheme
 *
 * Returns: (transfer none) (nullable): what follows the scheme; %NULL when they are of another
 */
const char *
reeve_call_skip_scheme (const char *authorization, const char *scheme)
{
  gsize length = strlen (scheme);

  if (authorization == NULL || g_ascii_strncasecmp (authorization, scheme, length) != 0
      || authorization[length] != ' ')
    return NULL;
  return authorization + length + strspn (authorization + length, " ");
}

/**
 * reeve_call_set_caller:
 * @self: a call
 * @caller: (transfer none): who calls; the door knows it already
 */
void
reeve_call_set_caller (ReeveCall *self, ReeveCaller *caller)
{
  reeve_call_take_caller (self, reeve_caller_ref (caller));
}

void
reeve_call_take_caller (ReeveCall *self, ReeveCaller *caller)
{
  g_clear_pointer (&self->caller, reeve_caller_unref);
  self->caller = caller;
}

void
reeve_call_set_local (ReeveCall *self, gboolean local)
{
  self->local = local;
}

void
reeve_call_set_accept (ReeveCall *self, const char *accept)
{
  g_free (self->accept);
  self->accept = g_strdup (accept);
}

void
reeve_call_set_tenant_header (ReeveCall *self, const char *tenant_id)
{
  g_free (self->tenant_header);
  self->tenant_header = g_strdup (tenant_id);
}

void
reeve_call_set_idempotency_key (ReeveCall *self, const char *key)
{
  g_free (self->idempotency_key);
  self->idempotency_key = g_strdup (key);
}

void
reeve_call_set_instance (ReeveCall *self, const char *instance)
{
  g_free (self->instance);
  self->instance = g_strdup (instance);
}

/**
 * reeve_call_set_path_member:
 * @self: a call
 * @name: of the path parameter
 * @value: what stands in its place, decoded
 */
void
reeve_call_set_path_member (ReeveCall *self, const char *name, const char *value)
{
  json_object_set_string_member (self->given, name, value);
}

/**
 * reeve_call_set_query_member:
 * @self: a call
 * @name: of the query parameter
 * @value: its text, decoded
 *
 * One that comes twice is refused later, with the other faults.
 */
void
reeve_call_set_query_member (ReeveCall *self, const char *name, const char *value)
{
  if (json_object_has_member (self->given, name))
    {
      g_free (self->repeated);
      self->repeated = g_strdup (name);
      return;
    }
  json_object_set_string_member (self->given, name, value);
}

/**
 * reeve_call_set_garbled_member:
 * @self: a call
 * @name: of a query parameter whose name or text is no text once it is decoded
 *
 * It is refused later, with the other faults.
 */
void
reeve_call_set_garbled_member (ReeveCall *self, const char *name)
{
  g_free (self->garbled);
  self->garbled = g_strdup (name);
}

/**
 * reeve_call_set_params:
 * @self: a call
 * @params: (transfer none): all members, with their types; copied
 */
void
reeve_call_set_params (ReeveCall *self, JsonObject *params)
{
  g_autoptr (GList) members = json_object_get_members (params);

  for (GList *l = members; l != NULL; l = l->next)
    json_object_set_member (self->given, l->data,
                            json_node_ref (json_object_get_member (params, l->data)));
  self->typed = TRUE;
}

void
reeve_call_set_body (ReeveCall *self, const char *media_type, GBytes *body)
{
  g_free (self->media_type);
  self->media_type = g_strdup (media_type);
  g_clear_pointer (&self->body, g_bytes_unref);
  self->body = body != NULL ? g_bytes_ref (body) : NULL;
}

/**
 * reeve_call_add_part:
 * @self: a call
 * @part: (transfer none): one part of a form; copied
 */
void
reeve_call_add_part (ReeveCall *self, const ReeveCallPart *part)
{
  ReeveCallPart *copy = g_new0 (ReeveCallPart, 1);

  copy->name = g_strdup (part->name);
  copy->file_name = g_strdup (part->file_name);
  copy->media_type = g_strdup (part->media_type);
  copy->bytes = g_bytes_ref (part->bytes);
  if (self->parts == NULL)
    self->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_call_part_free);
  g_ptr_array_add (self->parts, copy);
}

/**
 * reeve_call_set_done:
 * @self: a call
 * @done: called once, when all is said
 * @event: (nullable): called for each event of a stream
 * @user_data: closure
 * @destroy: (nullable): called with the last reference of the call, on any thread
 */
void
reeve_call_set_done (ReeveCall *self, ReeveCallDone done, ReeveCallEvent event, gpointer user_data,
                     GDestroyNotify destroy)
{
  self->done = done;
  self->event = event;
  self->user_data = user_data;
  self->destroy = destroy;
}

/* ---- the door reads the answer ---- */

guint
reeve_call_get_status (ReeveCall *self)
{
  return self->status;
}

JsonNode *
reeve_call_get_result (ReeveCall *self)
{
  return self->result;
}

GBytes *
reeve_call_get_result_bytes (ReeveCall *self, const char **media_type)
{
  if (media_type != NULL)
    *media_type = self->bytes_type;
  return self->bytes;
}

ReeveCallSource *
reeve_call_get_source (ReeveCall *self)
{
  return self->source;
}

const GError *
reeve_call_get_error (ReeveCall *self)
{
  return self->error;
}

/**
 * reeve_call_get_workspace_id:
 * @self: a call that reads on
 *
 * Returns: (transfer none) (nullable): where that lies; %NULL: in no workspace
 */
const char *
reeve_call_get_workspace_id (ReeveCall *self)
{
  return self->workspace_id;
}

JsonArray *
reeve_call_get_faults (ReeveCall *self)
{
  return self->faults;
}

gboolean
reeve_call_is_stream (ReeveCall *self)
{
  return self->stream;
}

const ReeveRateLimitsState *
reeve_call_get_rate (ReeveCall *self)
{
  return self->rate.limit != 0 ? &self->rate : NULL;
}
