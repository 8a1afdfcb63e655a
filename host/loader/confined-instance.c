/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each call enters the process that is there, finds its instance set up or sets it up, and leaves
 * again. A call that the end of a process cut off fails with why it ended, or is made once more. */
#include "confined-instance.h"

#include <string.h>

#include "capabilities.h"
#include "interpreter.h"
#include "manifest-offers.h"
#include "manifest-script.h"
#include "wire-instance.h"

#define REEVE_CONFINED_INSTANCE_KINDS 4

typedef struct
{
  ReeveKeeper *keeper;
  ReeveWireKinds kind;
  GMutex lock; /* the two below: another version of the plugin may have others */
  char *settings;
  ReeveBroker *broker;
  gboolean plain;     /* without settings */
  char **media_types; /* (nullable): until the manifest or the plugin says */
} ReeveConfinedInstancePrivate;

G_DEFINE_TYPE_WITH_PRIVATE (ReeveConfinedInstance, reeve_confined_instance, REEVE_TYPE_PLUGIN)

static const struct
{
  ReeveWireKinds kind;
  const char *name;
  GType (*get_type) (void);
  GInterfaceInitFunc init;
} reeve_confined_instance_kinds[REEVE_CONFINED_INSTANCE_KINDS] = {
  { REEVE_WIRE_TOOL, "ReeveConfinedTool", reeve_tool_get_type, reeve_confined_kinds_init_tool },
  { REEVE_WIRE_SINK, "ReeveConfinedSink", reeve_sink_get_type, reeve_confined_kinds_init_sink },
  { REEVE_WIRE_EXTRACTOR, "ReeveConfinedExtractor", reeve_extractor_get_type,
    reeve_confined_kinds_init_extractor },
  { REEVE_WIRE_LLM_ENGINE, "ReeveConfinedEngine", reeve_llm_engine_get_type,
    reeve_confined_kinds_init_engine },
};

static ReeveConfinedInstancePrivate *
reeve_confined_instance_get (ReeveConfinedInstance *self)
{
  return reeve_confined_instance_get_instance_private (self);
}

static void
reeve_confined_instance_shutdown (ReevePlugin *plugin)
{
  reeve_keeper_drop (reeve_confined_instance_get (REEVE_CONFINED_INSTANCE (plugin))->keeper,
                     plugin);
}

static void
reeve_confined_instance_finalize (GObject *object)
{
  ReeveConfinedInstancePrivate *self
      = reeve_confined_instance_get (REEVE_CONFINED_INSTANCE (object));

  g_clear_pointer (&self->keeper, reeve_keeper_unref);
  g_clear_object (&self->broker);
  g_free (self->settings);
  g_mutex_clear (&self->lock);
  g_strfreev (self->media_types);
  G_OBJECT_CLASS (reeve_confined_instance_parent_class)->finalize (object);
}

static void
reeve_confined_instance_class_init (ReeveConfinedInstanceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_confined_instance_finalize;
  REEVE_PLUGIN_CLASS (klass)->shutdown = reeve_confined_instance_shutdown;
}

static void
reeve_confined_instance_init (ReeveConfinedInstance *self)
{
  g_mutex_init (&reeve_confined_instance_get (self)->lock);
}

static GType
reeve_confined_instance_get_type_for (ReeveWireKinds kind)
{
  static gsize types[REEVE_CONFINED_INSTANCE_KINDS];
  guint index = 0;

  while (reeve_confined_instance_kinds[index].kind != kind)
    index++;
  if (g_once_init_enter (&types[index]))
    {
      const GInterfaceInfo info = { reeve_confined_instance_kinds[index].init, NULL, NULL };
      GType type = g_type_register_static_simple (
          REEVE_TYPE_CONFINED_INSTANCE, reeve_confined_instance_kinds[index].name,
          sizeof (ReeveConfinedInstanceClass), NULL, sizeof (ReeveConfinedInstance), NULL, 0);

      g_type_add_interface_static (type, reeve_confined_instance_kinds[index].get_type (), &info);
      g_once_init_leave (&types[index], type);
    }
  return types[index];
}

/**
 * reeve_confined_instance_find_kind:
 * @manifest: of a plugin
 * @iface: what is asked for
 *
 * Codecs of models stay in the host as long as the wire has none; what is asked for is then none.
 *
 * Returns: what an instance offers that runs in a process of its own; 0 for none
 */
ReeveWireKinds
reeve_confined_instance_find_kind (ReeveManifest *manifest, GType iface)
{
  const ReeveKinds can = REEVE_KIND_TOOL | REEVE_KIND_SINK | REEVE_KIND_EXTRACTOR | REEVE_KIND_LLM;

  if ((reeve_manifest_get_kinds (manifest) & ~can) != 0)
    return 0;
  if (iface == REEVE_TYPE_PLUGIN)
    return reeve_manifest_offers_has_engine (manifest) ? REEVE_WIRE_LLM_ENGINE : 0;
  for (guint i = 0; i < G_N_ELEMENTS (reeve_confined_instance_kinds); i++)
    {
      if (reeve_confined_instance_kinds[i].get_type () == iface)
        return reeve_confined_instance_kinds[i].kind;
    }
  return 0;
}

/**
 * reeve_confined_instance_new:
 * @keeper: of its plugin
 * @kind: one kind
 * @settings: canonical JSON
 * @broker: what it may reach
 *
 * Returns: (transfer full): an instance
 */
ReevePlugin *
reeve_confined_instance_new (ReeveKeeper *keeper, ReeveWireKinds kind, const char *settings,
                             ReeveBroker *broker)
{
  ReeveConfinedInstance *self = g_object_new (reeve_confined_instance_get_type_for (kind), NULL);
  ReeveConfinedInstancePrivate *private = reeve_confined_instance_get (self);

  private->keeper = reeve_keeper_ref (keeper);
  private->kind = kind;
  private->settings = g_strdup (settings);
  private->plain = strcmp (settings, "{}") == 0;
  private->broker = g_object_ref (broker);
  return REEVE_PLUGIN (self);
}

ReeveManifest *
reeve_confined_instance_get_manifest (ReeveConfinedInstance *self)
{
  return reeve_keeper_get_manifest (reeve_confined_instance_get (self)->keeper);
}

gboolean
reeve_confined_instance_is_plain (ReeveConfinedInstance *self)
{
  return reeve_confined_instance_get (self)->plain;
}

const char *const *
reeve_confined_instance_get_media_types (ReeveConfinedInstance *self)
{
  return (const char *const *) reeve_confined_instance_get (self)->media_types;
}

/* ---- another version ---- */

/**
 * reeve_confined_instance_raise:
 * @self: an instance
 * @term: a process of its plugin, of another version
 * @settings: canonical JSON, as that version gets them
 * @broker: what it may reach there
 * @context: (nullable): of the call it is for
 * @error: return location, also for what its setup says
 *
 * Returns: (transfer full) (nullable): it, ready
 */
ReevePlugin *
reeve_confined_instance_raise (ReeveConfinedInstance *self, ReeveTerm *term, const char *settings,
                               ReeveBroker *broker, ReeveContext *context, GError **error)
{
  ReeveConfinedInstancePrivate *private = reeve_confined_instance_get (self);
  const ReeveTermInstance instance = { .key = self,
                                       .kind = private->kind,
                                       .settings = settings,
                                       .plain = private->plain,
                                       .broker = broker };

  return reeve_term_get_instance (term, &instance, context, error);
}

/**
 * reeve_confined_instance_adopt:
 * @self: an instance
 * @settings: canonical JSON
 * @broker: what it may reach
 */
void
reeve_confined_instance_adopt (ReeveConfinedInstance *self, const char *settings,
                               ReeveBroker *broker)
{
  ReeveConfinedInstancePrivate *private = reeve_confined_instance_get (self);

  g_mutex_lock (&private->lock);
  g_free (private->settings);
  private->settings = g_strdup (settings);
  g_set_object (&private->broker, broker);
  g_mutex_unlock (&private->lock);
}

/* ---- calls ---- */

/* A script's interpreter is granted apart, to each tenant or to all. */
static gboolean
reeve_confined_instance_may (ReeveConfinedInstance *self, ReeveBroker *broker,
                             ReeveContext *context, GError **error)
{
  g_autoptr (ReeveManifest) manifest = reeve_confined_instance_get_manifest (self);

  return reeve_manifest_get_interpreter (manifest) == NULL
         || reeve_capabilities_check (broker, context, REEVE_INTERPRETER_CAPABILITY, error);
}

/* One try. @ended: (out): the process ended in it */
static gboolean
reeve_confined_instance_try (ReeveConfinedInstance *self, ReeveContext *context,
                             const ReeveConfinedCall *call, const char *input, gboolean *ended,
                             GError **error)
{
  ReeveConfinedInstancePrivate *private = reeve_confined_instance_get (self);
  g_autofree char *settings = NULL;
  g_autoptr (ReeveBroker) broker = NULL;
  ReeveTerm *term = NULL;
  g_autoptr (ReevePlugin) plugin = NULL;
  g_autofree char *had = NULL;
  gboolean good = FALSE;

  *ended = FALSE;
  /* before the process is entered: a new version's is there with its instances before these are */
  g_mutex_lock (&private->lock);
  settings = g_strdup (private->settings);
  broker = g_object_ref (private->broker);
  g_mutex_unlock (&private->lock);
  if (!reeve_confined_instance_may (self, broker, context, error))
    return FALSE;
  term = reeve_keeper_enter (private->keeper, context, error);
  if (term == NULL)
    return FALSE;
  plugin = reeve_confined_instance_raise (self, term, settings, broker, context, error);
  good = plugin != NULL && call->func (plugin, call->data, error);
  /* a digest of a large document is worth its time only where a process ended */
  if (!good && plugin != NULL && call->digest != NULL && reeve_term_has_ended (term, NULL))
    had = input != NULL ? g_strdup (input) : call->digest (call->data);
  *ended = reeve_keeper_leave (private->keeper, term, had) && !good;
  return good;
}

static gboolean
reeve_confined_instance_set_blamed (ReeveConfinedInstance *self, GError **error)
{
  g_autoptr (ReeveManifest) manifest = reeve_confined_instance_get_manifest (self);

  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "plugin %s does not get this input again: its process ended twice while it had it",
               reeve_manifest_get_id (manifest));
  return FALSE;
}

/**
 * reeve_confined_instance_perform:
 * @self: an instance
 * @context: of the call
 * @call: what to do
 * @error: return location: what the plugin says, why its process ended, or why there is none
 *
 * Returns: what @call's function returned
 */
gboolean
reeve_confined_instance_perform (ReeveConfinedInstance *self, ReeveContext *context,
                                 const ReeveConfinedCall *call, GError **error)
{
  ReeveKeeper *keeper = reeve_confined_instance_get (self)->keeper;
  g_autofree char *input
      = call->digest != NULL && reeve_keeper_has_blamed (keeper) ? call->digest (call->data) : NULL;
  g_autoptr (GError) first = NULL;
  gboolean ended = FALSE;

  if (input != NULL && reeve_keeper_is_blamed (keeper, input))
    return reeve_confined_instance_set_blamed (self, error);
  if (reeve_confined_instance_try (self, context, call, input, &ended, &first))
    return TRUE;
  if (ended && call->again && (call->said == NULL || !*call->said))
    return reeve_confined_instance_try (self, context, call, input, &ended, error);
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}

/* ---- before the first call ---- */

/* What an extractor reads is asked without a context, and for good. */
static gboolean
reeve_confined_instance_look (ReevePlugin *plugin, gpointer data, GError **error)
{
  ReeveConfinedInstancePrivate *self = data;

  if (REEVE_IS_EXTRACTOR (plugin) && self->media_types == NULL)
    self->media_types
        = g_strdupv ((char **) reeve_extractor_media_types (REEVE_EXTRACTOR (plugin)));
  return TRUE;
}

static gboolean
reeve_confined_instance_is_known (ReeveConfinedInstance *self)
{
  g_autoptr (ReeveManifest) manifest = reeve_confined_instance_get_manifest (self);
  ReeveConfinedInstancePrivate *private = reeve_confined_instance_get (self);

  if (!reeve_confined_instance_is_plain (self))
    return FALSE;
  switch (private->kind)
    {
    case REEVE_WIRE_TOOL:
      return reeve_manifest_offers_get_tools (manifest) != NULL;
    case REEVE_WIRE_EXTRACTOR:
      private
      ->media_types = g_strdupv ((char **) reeve_manifest_offers_get_media_types (manifest));
      return private->media_types != NULL;
    case REEVE_WIRE_SINK:
    case REEVE_WIRE_LLM_ENGINE:
    case REEVE_WIRE_LLM_CODEC:
    default:
      return TRUE;
    }
}

/* What an administrator named stays named while its plugin is quarantined or disabled: calls say
 * so. */
static gboolean
reeve_confined_instance_is_put_off (ReeveConfinedInstance *self)
{
  ReeveConfinedInstancePrivate *private = reeve_confined_instance_get (self);
  g_auto (ReeveKeeperStatus) status = { 0 };

  reeve_keeper_get_status (private->keeper, &status);
  return (status.state == REEVE_KEEPER_QUARANTINED || reeve_keeper_is_off (private->keeper))
         && (private->kind == REEVE_WIRE_SINK || private->kind == REEVE_WIRE_LLM_ENGINE);
}

/**
 * reeve_confined_instance_prepare:
 * @self: an instance that nobody calls yet
 * @error: return location, also for what the plugin's setup says
 *
 * Returns: whether it can be called
 */
gboolean
reeve_confined_instance_prepare (ReeveConfinedInstance *self, GError **error)
{
  ReeveConfinedInstancePrivate *private = reeve_confined_instance_get (self);
  const ReeveConfinedCall call = { .func = reeve_confined_instance_look, .data = private };
  const ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = NULL;

  if (reeve_confined_instance_is_known (self) || reeve_confined_instance_is_put_off (self))
    return TRUE;
  context = reeve_context_new (&info, private->broker, NULL);
  return reeve_confined_instance_perform (self, context, &call, error);
}
