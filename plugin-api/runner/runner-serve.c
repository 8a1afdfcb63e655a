/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages are performed by workers, as many as the plan has threads for; there is no main loop.
 * That a call is cancelled is known at once, also while it waits for a worker. */
#include "runner-serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "wire/wire-context.h"
#include "wire/wire-error.h"
#include "wire/wire-method.h"

#include "runner-ask.h"
#include "runner-broker.h"
#include "runner-codec.h"
#include "runner-connect.h"
#include "runner-engine.h"
#include "runner-extractor.h"
#include "runner-sink.h"
#include "runner-tool.h"

/* bytes that glibc's malloc() has no list of pieces for */
#define RUNNER_SERVE_LARGE 4096

typedef struct
{
  const ReevePluginDescriptor *descriptor;
  RunnerWire *wire;
  GMutex lock;
  GHashTable *calls;     /* number -> GCancellable */
  GHashTable *instances; /* path -> ReevePlugin */
  guint last;            /* number of an instance */
} RunnerServe;

static const struct
{
  const char *interface;
  GType (*get_type) (void);
  RunnerServeFunc perform;
  gboolean reads; /* arguments by itself */
} runner_serve_kinds[] = {
  { WIRE_METHOD_PREFIX "Tool", reeve_tool_get_type, runner_tool_perform, TRUE },
  { WIRE_METHOD_PREFIX "Sink", reeve_sink_get_type, runner_sink_perform, FALSE },
  { WIRE_METHOD_PREFIX "Extractor", reeve_extractor_get_type, runner_extractor_perform, FALSE },
  { WIRE_METHOD_PREFIX "LlmEngine", reeve_llm_engine_get_type, runner_engine_perform, TRUE },
  { WIRE_METHOD_PREFIX "LlmCodec", reeve_llm_codec_get_type, runner_codec_perform, FALSE },
};

/* ---- Runner's own methods ---- */

static GVariant *
runner_serve_hello (RunnerServe *self)
{
  g_auto (GVariantBuilder) types = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sas)"));
  const GType *all = self->descriptor->query_types ();

  for (guint i = 0; all[i] != G_TYPE_INVALID; i++)
    {
      g_variant_builder_open (&types, G_VARIANT_TYPE ("(sas)"));
      g_variant_builder_add (&types, "s", g_type_name (all[i]));
      g_variant_builder_open (&types, G_VARIANT_TYPE_STRING_ARRAY);
      for (guint j = 0; j < G_N_ELEMENTS (runner_serve_kinds); j++)
        {
          if (g_type_is_a (all[i], runner_serve_kinds[j].get_type ()))
            g_variant_builder_add (&types, "s", runner_serve_kinds[j].interface);
        }
      g_variant_builder_close (&types);
      g_variant_builder_close (&types);
    }
  return g_variant_new ("(ssa(sas))", self->descriptor->id, self->descriptor->version, &types);
}

static ReevePlugin *
runner_serve_make (RunnerServe *self, const char *name, GError **error)
{
  const GType *all = self->descriptor->query_types ();

  for (guint i = 0; all[i] != G_TYPE_INVALID; i++)
    {
      if (strcmp (g_type_name (all[i]), name) == 0)
        return g_object_new (all[i], NULL);
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "the plugin has no such type");
  return NULL;
}

static GVariant *
runner_serve_setup (RunnerServe *self, const RunnerServeCall *call, GError **error)
{
  g_autoptr (ReevePlugin) plugin = NULL;
  g_autoptr (JsonNode) settings = NULL;
  g_autofree char *path = NULL;
  const char *name = NULL;
  const char *text = NULL;

  g_variant_get_child (call->body, 2, "&s", &name);
  g_variant_get_child (call->body, 3, "&s", &text);
  settings = reeve_json_parse_strict (text, strlen (text), error);
  if (settings == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (settings))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "settings are an object");
      return NULL;
    }
  plugin = runner_serve_make (self, name, error);
  if (plugin == NULL
      || !reeve_plugin_setup (plugin, json_node_get_object (settings), call->context, error))
    return NULL;
  if (REEVE_IS_LLM_CODEC (plugin))
    runner_codec_prepare (plugin);
  g_mutex_lock (&self->lock);
  path = g_strdup_printf (WIRE_METHOD_PATH "/%u", ++self->last);
  g_hash_table_insert (self->instances, g_strdup (path), g_steal_pointer (&plugin));
  g_mutex_unlock (&self->lock);
  return g_variant_new ("(o)", path);
}

static GVariant *
runner_serve_shutdown (RunnerServe *self, const RunnerServeCall *call, GError **error)
{
  gpointer plugin = NULL;
  g_autofree char *key = NULL;
  const char *path = NULL;

  g_variant_get_child (call->body, 2, "&o", &path);
  g_mutex_lock (&self->lock);
  g_hash_table_steal_extended (self->instances, path, (gpointer *) &key, &plugin);
  g_mutex_unlock (&self->lock);
  if (plugin == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such instance");
      return NULL;
    }
  reeve_plugin_shutdown (plugin);
  g_object_unref (plugin);
  return g_variant_new ("()");
}

static gboolean
runner_serve_read_body (RunnerServeCall *call, GError **error)
{
  if (!wire_letter_read_call_body (call->message, error))
    return FALSE;
  call->body = call->message->body;
  return TRUE;
}

static GVariant *
runner_serve_perform_own (RunnerServe *self, RunnerServeCall *call, GError **error)
{
  if (!runner_serve_read_body (call, error))
    return NULL;
  if (strcmp (call->member, "Hello") == 0)
    return runner_serve_hello (self);
  if (strcmp (call->member, "Setup") == 0)
    return runner_serve_setup (self, call, error);
  return runner_serve_shutdown (self, call, error);
}

/* ---- a call, on a worker ---- */

/* free(3) keeps small pieces apart, and a large malloc(3) joins all of them first: that would be
 * the next call, as it is read, while somebody waits for it. */
static void
runner_serve_tidy (void)
{
  g_free (g_malloc (RUNNER_SERVE_LARGE));
}

void
runner_serve_spend (const RunnerServeCall *call, gpointer data, GDestroyNotify destroy)
{
  RunnerServeSpent *spent = call->spent;

  if (spent->count == RUNNER_SERVE_MAX_SPENT)
    {
      destroy (data);
      return;
    }
  spent->all[spent->count].data = data;
  spent->all[spent->count++].destroy = destroy;
}

void
runner_serve_fail_form (GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
               "the arguments are not what the message's signature says");
}

static void
runner_serve_free_spent (const RunnerServeSpent *spent)
{
  for (guint i = 0; i < spent->count; i++)
    spent->all[i].destroy (spent->all[i].data);
}

static GVariant *
runner_serve_perform (RunnerServe *self, RunnerServeCall *call, GError **error)
{
  const char *interface = call->message->head.interface;
  const char *path = call->message->head.path;
  g_autoptr (ReevePlugin) instance = NULL;

  if (strcmp (interface, WIRE_METHOD_PREFIX "Runner") == 0)
    return runner_serve_perform_own (self, call, error);
  g_mutex_lock (&self->lock);
  call->instance = g_hash_table_lookup (self->instances, path);
  instance = call->instance != NULL ? g_object_ref (call->instance) : NULL;
  g_mutex_unlock (&self->lock);
  for (guint i = 0; instance != NULL && i < G_N_ELEMENTS (runner_serve_kinds); i++)
    {
      if (strcmp (interface, runner_serve_kinds[i].interface) == 0
          && g_type_is_a (G_OBJECT_TYPE (instance), runner_serve_kinds[i].get_type ()))
        return runner_serve_kinds[i].reads || runner_serve_read_body (call, error)
                   ? runner_serve_kinds[i].perform (call, error)
                   : NULL;
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such instance");
  return NULL;
}

static GVariant *
runner_serve_perform_within (RunnerServe *self, RunnerServeCall *call, GError **error)
{
  GVariant *result = NULL;

  runner_ask_enter (call->context);
  if (reeve_context_check (call->context, error))
    result = runner_serve_perform (self, call, error);
  runner_ask_leave (call->context);
  return result;
}

static void
runner_serve_reply (RunnerServe *self, WireLetter *message, GVariant *result, GError *problem)
{
  g_autoptr (GVariant) body = result != NULL ? g_variant_take_ref (result) : NULL;
  g_autoptr (GError) error = problem;
  g_autoptr (WireLetter) reply = NULL;

  if (message->head.no_reply)
    return;
  if (error == NULL && g_variant_get_size (body) > WIRE_METHOD_MAX_BODY)
    error
        = g_error_new (REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "the answer is too large for a message");
  if (error != NULL)
    reply = wire_error_to_letter (message->head.serial, error);
  else
    {
      reply = wire_letter_new_reply (message->head.serial, body);
    }
  /* it fails where the host is gone: then nobody waits */
  runner_wire_send (self->wire, reply);
}

/* (transfer full) (nullable): of the call @number, which is under way */
static GCancellable *
runner_serve_find_call (RunnerServe *self, guint64 number)
{
  GCancellable *cancellable = NULL;

  g_mutex_lock (&self->lock);
  cancellable = g_hash_table_lookup (self->calls, &number);
  if (cancellable != NULL)
    g_object_ref (cancellable);
  g_mutex_unlock (&self->lock);
  return cancellable;
}

static void
runner_serve_work (WireLetter *message, gpointer user_data)
{
  RunnerServe *self = user_data;
  const guint64 number = message->call.number;
  g_autoptr (GCancellable) cancellable = NULL;
  g_autoptr (ReeveBroker) broker = NULL;
  g_autoptr (ReeveContext) context = NULL;
  RunnerServeSpent spent = { .count = 0 };
  RunnerServeCall call = { .message = message,
                           .member = message->head.member,
                           .arguments = message->call.arguments,
                           .spent = &spent };
  GVariant *result = NULL;
  GError *error = NULL;

  cancellable = runner_serve_find_call (self, number);
  broker = runner_broker_new (self->wire, number);
  context = wire_context_read (message, broker, cancellable, &error);
  call.context = context;
  call.broker = broker;
  if (context != NULL)
    result = runner_serve_perform_within (self, &call, &error);
  /* what it wrote for this call is not there for the next one */
  runner_broker_end (broker);
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->calls, &number);
  g_mutex_unlock (&self->lock);
  runner_serve_reply (self, message, result, error);
  runner_serve_free_spent (&spent);
  wire_letter_unref (message);
  runner_serve_tidy ();
}

/* ---- messages, as they come ---- */

static void
runner_serve_cancel (RunnerServe *self, WireLetter *message)
{
  WireReader reader = wire_letter_get_reader (message, FALSE);
  guint64 number = 0;
  g_autoptr (GCancellable) cancellable = NULL;

  if (!wire_reader_read_number64 (&reader, &number))
    return;
  cancellable = runner_serve_find_call (self, number);
  if (cancellable != NULL)
    g_cancellable_cancel (cancellable);
}

static void
runner_serve_begin (RunnerServe *self, WireLetter *message)
{
  const guint64 number = message->call.number;

  g_mutex_lock (&self->lock);
  g_hash_table_insert (self->calls, g_memdup2 (&number, sizeof number), g_cancellable_new ());
  g_mutex_unlock (&self->lock);
}

static gboolean
runner_serve_sort (WireLetter *message, gpointer user_data)
{
  RunnerServe *self = user_data;
  const char *member = message->head.member;
  const GDBusMethodInfo *method = wire_method_find (message->head.interface, member);

  if (method == NULL || !wire_method_fits (method->in_args, message))
    runner_serve_reply (self, message, NULL,
                        g_error_new (REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                                     "there is no such method, or it has other arguments"));
  else if (strcmp (member, "Cancel") == 0)
    runner_serve_cancel (self, message);
  else
    {
      runner_serve_begin (self, message);
      return TRUE;
    }
  return FALSE;
}

/* ---- the beginning and the end ---- */

gboolean
runner_serve_wire (const RunnerPlan *plan, const ReevePluginDescriptor *descriptor)
{
  static const RunnerWireHandlers handlers
      = { .sort = runner_serve_sort, .perform = runner_serve_work };
  RunnerServe self = { .descriptor = descriptor };
  struct pollfd control = { .fd = RUNNER_PLAN_CONTROL_FD, .events = POLLIN };

  /* nobody reads a stream any more: that is an error of a call, and no end */
  signal (SIGPIPE, SIG_IGN);
  /* the same of a file that would be too long */
  signal (SIGXFSZ, SIG_IGN);
  close (RUNNER_PLAN_MODULE_FD);
  if (plan->tcp)
    runner_connect_begin ();
  g_mutex_init (&self.lock);
  self.calls = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_object_unref);
  self.instances = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self.wire = runner_wire_new (RUNNER_PLAN_WIRE_FD, &handlers, &self);
  if (self.wire == NULL
      || !runner_wire_start (self.wire, runner_plan_get_n_workers (plan->processes)))
    {
      g_printerr ("the wire: %s\n", self.wire == NULL ? "the host is none" : "no thread for it");
      return FALSE;
    }
  while (poll (&control, 1, -1) < 0 && errno == EINTR)
    continue;
  /* whoever is still at work is not waited for: nobody asks for it any more */
  _exit (EXIT_SUCCESS);
}
