/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The world of the router's tests. */
#include "fake-models.h"

#include <string.h>

#include "fake-engine.h"

extern const ReevePluginDescriptor reeve_plugin_descriptor;

/* Stands for the admission: the router only ever consumes it. */
void
reeve_admitted_consume (ReeveAdmitted *admitted, const char *operation)
{
  World *world = (World *) admitted;

  g_assert_cmpstr (operation, ==, "model.call");
  world->consumed++;
}

void
reeve_admitted_expect (ReeveAdmitted *admitted, const char *operation, const char *name,
                       JsonObject *arguments)
{
  g_assert_cmpstr (operation, ==, "model.call");
  g_assert_nonnull (strchr (name, '/'));
}

/* where that is nobody, nothing stands below */
ReeveCaller *
reeve_admitted_get_caller (ReeveAdmitted *admitted)
{
  return ((World *) admitted)->caller;
}

guint64
reeve_admitted_get_intent (ReeveAdmitted *admitted)
{
  return 1;
}

void
world_setup (World *self, gconstpointer data)
{
  self->context = g_main_context_new ();
  g_main_context_push_thread_default (self->context);
  self->workers = reeve_workers_new ("test", 2, 2, 8);
  self->log = g_string_new (NULL);
  self->plugins = g_ptr_array_new_with_free_func (g_object_unref);
  self->models = reeve_models_new (NULL, self->workers);
}

void
world_reset (World *self)
{
  reeve_models_leave (self->models);
  g_clear_object (&self->models);
  g_clear_pointer (&self->server, hostile_server_free);
  g_clear_error (&self->error);
  g_string_truncate (self->log, 0);
  self->consumed = 0;
  self->models = reeve_models_new (NULL, self->workers);
}

void
world_teardown (World *self, gconstpointer data)
{
  reeve_models_leave (self->models);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  /* a worker may still hold the last call's task */
  reeve_workers_shutdown (self->workers);
  g_assert_finalize_object (g_steal_pointer (&self->models));
  g_clear_pointer (&self->server, hostile_server_free);
  g_ptr_array_unref (self->plugins);
  reeve_workers_unref (self->workers);
  g_string_free (self->log, TRUE);
  g_clear_error (&self->error);
  g_main_context_pop_thread_default (self->context);
  g_main_context_unref (self->context);
}

static ReevePlugin *
world_make_codec (World *self, const char *base_url)
{
  const ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);
  g_autoptr (JsonObject) settings = json_object_new ();
  ReevePlugin *plugin = g_object_new (reeve_plugin_descriptor.query_types ()[0], NULL);
  g_autoptr (GError) error = NULL;

  json_object_set_string_member (settings, "base_url", base_url);
  reeve_plugin_setup (plugin, settings, context, &error);
  g_assert_no_error (error);
  g_ptr_array_add (self->plugins, plugin);
  return plugin;
}

static void
world_add (World *self, const char *id, ReevePlugin *plugin, const char *base_url)
{
  g_autoptr (JsonObject) settings = json_object_new ();
  g_autoptr (GError) error = NULL;
  JsonArray *models = json_array_new ();

  json_array_add_string_element (models, "m1");
  json_object_set_string_member (settings, "base_url", base_url);
  json_object_set_string_member (settings, "api_key", "sk-secret");
  json_object_set_string_member (settings, "model", "gpt");
  json_object_set_array_member (settings, "models", models);
  reeve_models_add (self->models, id, plugin, settings, &error);
  g_assert_no_error (error);
}

void
world_serve (World *self, const HostileStep *script)
{
  g_autofree char *url = NULL;

  self->scripts[0] = script;
  self->server = hostile_server_new (self->scripts, 1);
  hostile_server_start (self->server);
  url = g_strdup_printf ("http://127.0.0.1:%u/v1", hostile_server_get_port (self->server));
  world_add (self, "local", world_make_codec (self, url), url);
}

void
world_add_codec (World *self, const char *id, const char *base_url)
{
  g_autofree char *url
      = g_strdup_printf ("http://127.0.0.1:%u/v1", hostile_server_get_port (self->server));

  world_add (self, id, world_make_codec (self, url), base_url);
}

gboolean
world_try_add (World *self, const char *id, JsonObject *settings, GError **error)
{
  ReevePlugin *plugin = fake_engine_new ();

  g_ptr_array_add (self->plugins, plugin);
  return reeve_models_add (self->models, id, plugin, settings, error);
}

void
world_add_engine (World *self, const char *id)
{
  g_autoptr (JsonObject) settings = json_object_new ();
  g_autoptr (GError) error = NULL;

  world_try_add (self, id, settings, &error);
  g_assert_no_error (error);
}

static gboolean
world_on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  static const char *const kinds[]
      = { "text ", "thought ", "call ", "usage", "finish ", "raw ", "vector", "model" };
  World *self = user_data;

  g_assert_true (g_main_context_is_owner (self->context));
  if (delta->kind == REEVE_LLM_DELTA_RAW)
    return TRUE;
  g_string_append_printf (self->log, "%s%.*s;", kinds[delta->kind], (int) delta->text_length,
                          delta->text != NULL ? delta->text : "");
  if (self->stop)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "enough");
  return !self->stop;
}

static void
world_on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  World *self = user_data;

  g_assert_true (g_main_context_is_owner (self->context));
  g_assert_null (self->result);
  self->result = g_object_ref (result);
}

void
world_begin (World *self, const char *model)
{
  static const char *const input[] = { "a", "b", NULL };
  static const char *const roles[] = { "operator", NULL };
  const ReeveContextInfo info = {
    .struct_size = sizeof info, .tenant_id = "t", .deadline = self->deadline, .roles = roles
  };
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (self->task, model);
  g_autoptr (JsonNode) messages
      = json_from_string ("[{\"role\":\"user\",\"content\":\"q\"}]", NULL);

  if (self->raw != NULL)
    reeve_llm_request_set_raw (request, self->raw);
  else
    reeve_llm_request_set_messages (request, json_node_get_array (messages));
  reeve_llm_request_set_input (request, input);
  reeve_llm_request_set_stream (request, self->stream);
  g_clear_error (&self->error);
  g_string_truncate (self->log, 0);
  if (self->prepare)
    {
      ReeveModelPrepared *prepared = reeve_models_prepare (self->models, request);

      if (self->lowered != 0)
        reeve_llm_request_set_max_tokens (request, self->lowered);
      reeve_models_complete_prepared_async (self->models, (ReeveAdmitted *) self, prepared, request,
                                            &info, world_on_delta, self, self->cancellable,
                                            world_on_answer, self);
    }
  else
    reeve_models_complete_async (self->models, (ReeveAdmitted *) self, request, &info,
                                 world_on_delta, self, self->cancellable, world_on_answer, self);
  g_assert_null (self->result);
}

ReeveModelResponse *
world_finish (World *self)
{
  g_autoptr (GAsyncResult) result = NULL;

  while (self->result == NULL)
    g_main_context_iteration (self->context, TRUE);
  result = g_steal_pointer (&self->result);
  return reeve_models_complete_finish (self->models, result, &self->error);
}

ReeveModelResponse *
world_ask (World *self, const char *model)
{
  world_begin (self, model);
  return world_finish (self);
}
