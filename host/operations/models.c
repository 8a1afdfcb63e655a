/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models, in our shape and in OpenAI's, where agents count as models. */
#include "operation-functions.h"
#include "page.h"

/* OpenAI's list has no pages; this many agents are in it at most */
#define REEVE_OP_MODELS_AGENTS 500

/* (transfer full): those that the caller's tenant may ask */
static JsonArray *
reeve_op_models_find (ReeveCall *call, ReeveServices *services)
{
  return reeve_model_allow_filter (services->model_allow, reeve_call_get_tenant_id (call),
                                   reeve_models_list (services->models));
}

void
reeve_op_models_list (ReeveCall *call, ReeveServices *services)
{
  reeve_page_answer (call, reeve_op_models_find (call, services));
}

static void
reeve_op_models_add (JsonArray *data, const char *id, const char *owner, gint64 created)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "id", id);
  json_object_set_string_member (object, "object", "model");
  json_object_set_int_member (object, "created", created / G_USEC_PER_SEC);
  json_object_set_string_member (object, "owned_by", owner);
  json_array_add_object_element (data, object);
}

static gboolean
reeve_op_models_add_agents (ReeveCall *call, ReeveServices *services, JsonArray *data,
                            GError **error)
{
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (JsonObject) page = NULL;
  g_auto (GStrv) seen = NULL;
  JsonArray *items = NULL;

  if (!reeve_caller_has_permission_somewhere (reeve_call_get_caller (call), "agent:read"))
    return TRUE;
  json_object_set_int_member (params, "limit", REEVE_OP_MODELS_AGENTS);
  json_object_set_boolean_member (params, "active", TRUE);
  seen = reeve_workspaces_list_seen (services->workspaces, reeve_call_get_caller (call),
                                     "agent:read", error);
  if (seen == NULL)
    return FALSE;
  page = reeve_agents_list (services->agents, reeve_call_get_tenant_id (call),
                            (const char *const *) seen, params, error);
  if (page == NULL)
    return FALSE;
  items = reeve_json_get_array (page, "items");
  for (guint i = 0; items != NULL && i < json_array_get_length (items); i++)
    {
      JsonObject *agent = json_array_get_object_element (items, i);
      g_autofree char *id
          = g_strconcat ("agent/", reeve_json_get_string (agent, "agent_id", ""), NULL);

      reeve_op_models_add (data, id, "reeve", services->started_at);
    }
  return TRUE;
}

void
reeve_op_models_openai (ReeveCall *call, ReeveServices *services)
{
  g_autoptr (JsonArray) models = reeve_op_models_find (call, services);
  JsonArray *data = json_array_new ();
  JsonObject *list = json_object_new ();
  GError *error = NULL;

  for (guint i = 0; i < json_array_get_length (models); i++)
    {
      JsonObject *model = json_array_get_object_element (models, i);

      reeve_op_models_add (data, reeve_json_get_string (model, "id", ""),
                           reeve_json_get_string (model, "provider", "reeve"),
                           services->started_at);
    }
  json_object_set_string_member (list, "object", "list");
  json_object_set_array_member (list, "data", data);
  if (reeve_op_models_add_agents (call, services, data, &error))
    reeve_call_answer (call, list, NULL);
  else
    {
      json_object_unref (list);
      reeve_call_fail (call, error);
    }
}
