/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an instance implements is not known before a runner says so: there is a type for each set of
 * interfaces that was met. */
#include "wire-instance.h"

#include "wire/wire-method.h"

#define REEVE_WIRE_INSTANCE_SETS 32

typedef struct
{
  ReeveWire *wire;
  guint type;
  char *path; /* (nullable) until it is set up */
} ReeveWireInstancePrivate;

G_DEFINE_TYPE_WITH_PRIVATE (ReeveWireInstance, reeve_wire_instance, REEVE_TYPE_PLUGIN)

static const struct
{
  ReeveWireKinds kind;
  GType (*get_type) (void);
  GInterfaceInitFunc init;
} reeve_wire_instance_kinds[] = {
  { REEVE_WIRE_TOOL, reeve_tool_get_type, reeve_wire_tool_init },
  { REEVE_WIRE_SINK, reeve_sink_get_type, reeve_wire_sink_init },
  { REEVE_WIRE_EXTRACTOR, reeve_extractor_get_type, reeve_wire_extractor_init },
  { REEVE_WIRE_LLM_ENGINE, reeve_llm_engine_get_type, reeve_wire_engine_init },
  { REEVE_WIRE_LLM_CODEC, reeve_llm_codec_get_type, reeve_wire_codec_init },
};

static ReeveWireInstancePrivate *
reeve_wire_instance_get (ReeveWireInstance *self)
{
  return reeve_wire_instance_get_instance_private (self);
}

static gboolean
reeve_wire_instance_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                           GError **error)
{
  ReeveWireInstancePrivate *self = reeve_wire_instance_get (REEVE_WIRE_INSTANCE (plugin));
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), settings);
  g_autofree char *text = reeve_json_text (node);
  const ReeveWireCall call
      = { .path = WIRE_METHOD_PATH,
          .interface = WIRE_METHOD_PREFIX "Runner",
          .member = "Setup",
          .context = context,
          .arguments = { g_variant_new_string (reeve_wire_get_type_name (self->wire, self->type)),
                         g_variant_new_string (text) } };
  g_autoptr (GVariant) answer = reeve_wire_call (self->wire, &call, error);

  if (answer == NULL)
    return FALSE;
  g_free (self->path);
  g_variant_get (answer, "(o)", &self->path);
  return !REEVE_IS_EXTRACTOR (plugin)
         || reeve_wire_extractor_prepare (REEVE_WIRE_INSTANCE (plugin), context, error);
}

static void
reeve_wire_instance_shutdown (ReevePlugin *plugin)
{
  ReeveWireInstancePrivate *self = reeve_wire_instance_get (REEVE_WIRE_INSTANCE (plugin));
  const ReeveContextInfo info = { .struct_size = sizeof info,
                                  .deadline = g_get_monotonic_time () + REEVE_WIRE_SHUTDOWN_US };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GError) error = NULL;
  ReeveWireCall call = { .path = WIRE_METHOD_PATH,
                         .interface = WIRE_METHOD_PREFIX "Runner",
                         .member = "Shutdown",
                         .context = context };

  if (self->path == NULL)
    return;
  call.arguments[0] = g_variant_new_object_path (self->path);
  answer = reeve_wire_call (self->wire, &call, &error);
  if (answer == NULL)
    g_debug ("an instance does not end: %s", error->message);
  g_clear_pointer (&self->path, g_free);
}

static void
reeve_wire_instance_finalize (GObject *object)
{
  ReeveWireInstancePrivate *self = reeve_wire_instance_get (REEVE_WIRE_INSTANCE (object));

  g_clear_pointer (&self->wire, reeve_wire_unref);
  g_free (self->path);
  G_OBJECT_CLASS (reeve_wire_instance_parent_class)->finalize (object);
}

static void
reeve_wire_instance_class_init (ReeveWireInstanceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_wire_instance_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = reeve_wire_instance_setup;
  REEVE_PLUGIN_CLASS (klass)->shutdown = reeve_wire_instance_shutdown;
}

static void
reeve_wire_instance_init (ReeveWireInstance *self)
{
}

static GType
reeve_wire_instance_get_type_for (ReeveWireKinds kinds)
{
  static gsize types[REEVE_WIRE_INSTANCE_SETS];
  gsize *where = &types[(guint) kinds % REEVE_WIRE_INSTANCE_SETS];

  if (g_once_init_enter (where))
    {
      g_autofree char *name = g_strdup_printf ("ReeveWireInstance%u", (guint) kinds);
      GType type = g_type_register_static_simple (REEVE_TYPE_WIRE_INSTANCE, name,
                                                  sizeof (ReeveWireInstanceClass), NULL,
                                                  sizeof (ReeveWireInstance), NULL, 0);

      for (guint i = 0; i < G_N_ELEMENTS (reeve_wire_instance_kinds); i++)
        {
          const GInterfaceInfo info = { reeve_wire_instance_kinds[i].init, NULL, NULL };

          if ((kinds & reeve_wire_instance_kinds[i].kind) != 0)
            g_type_add_interface_static (type, reeve_wire_instance_kinds[i].get_type (), &info);
        }
      g_once_init_leave (where, type);
    }
  return *where;
}

/**
 * reeve_wire_instance_new:
 * @wire: to its runner
 * @type: number of the type there
 *
 * Returns: (transfer full): an instance that has still to be set up
 */
ReevePlugin *
reeve_wire_instance_new (ReeveWire *wire, guint type)
{
  GType here = reeve_wire_instance_get_type_for (reeve_wire_get_type_kinds (wire, type));
  ReeveWireInstance *self = g_object_new (here, NULL);

  reeve_wire_instance_get (self)->wire = reeve_wire_ref (wire);
  reeve_wire_instance_get (self)->type = type;
  return REEVE_PLUGIN (self);
}

ReeveWire *
reeve_wire_instance_get_wire (ReeveWireInstance *self)
{
  return reeve_wire_instance_get (self)->wire;
}

/* @with: (out): @call with the path of this one */
static gboolean
reeve_wire_instance_address (ReeveWireInstance *self, const ReeveWireCall *call,
                             ReeveWireCall *with, GError **error)
{
  *with = *call;
  with->path = reeve_wire_instance_get (self)->path;
  if (with->path != NULL)
    return TRUE;
  reeve_wire_drop_arguments (call);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "the instance was not set up");
  return FALSE;
}

GVariant *
reeve_wire_instance_call (ReeveWireInstance *self, const ReeveWireCall *call, GError **error)
{
  ReeveWireCall with = { 0 };

  return reeve_wire_instance_address (self, call, &with, error)
             ? reeve_wire_call (reeve_wire_instance_get (self)->wire, &with, error)
             : NULL;
}

WireLetter *
reeve_wire_instance_ask (ReeveWireInstance *self, const ReeveWireCall *call, GError **error)
{
  ReeveWireCall with = { 0 };

  return reeve_wire_instance_address (self, call, &with, error)
             ? reeve_wire_ask (reeve_wire_instance_get (self)->wire, &with, error)
             : NULL;
}

void
reeve_wire_instance_tell (ReeveWireInstance *self, const char *interface, const char *member,
                          GVariant *argument)
{
  GVariant *parts[] = { g_variant_new_uint64 (0), g_variant_new ("a{sv}", NULL), argument };
  GVariant *body = g_variant_new_tuple (parts, G_N_ELEMENTS (parts));

  if (reeve_wire_instance_get (self)->path != NULL)
    reeve_wire_tell (reeve_wire_instance_get (self)->wire, reeve_wire_instance_get (self)->path,
                     interface, member, body);
  else
    g_variant_unref (g_variant_ref_sink (body));
}
