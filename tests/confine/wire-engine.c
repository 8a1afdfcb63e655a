/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of the wire: a model that says as many kilobytes as its name counts, in pieces of one,
 * and then how it ends: `2000`, `3 fail`. */
#include <string.h>

#include <reeve-plugin-1.h>

G_DECLARE_FINAL_TYPE (WireEngine, wire_engine, WIRE, ENGINE, ReevePlugin)

struct _WireEngine
{
  ReevePlugin parent_instance;
};

static void wire_engine_iface_init (ReeveLlmEngineInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WireEngine, wire_engine, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_ENGINE,
                                                      wire_engine_iface_init))

static void
wire_engine_class_init (WireEngineClass *klass)
{
}

static void
wire_engine_init (WireEngine *self)
{
}

static gboolean
wire_engine_generate (ReeveLlmEngine *engine, ReeveLlmRequest *request, ReeveContext *context,
                      ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  char *end = NULL;
  guint64 count = g_ascii_strtoull (reeve_llm_request_get_model (request), &end, 10);
  char text[1024];
  ReeveLlmDelta piece = { .struct_size = sizeof piece,
                          .kind = REEVE_LLM_DELTA_TEXT,
                          .text = text,
                          .text_length = sizeof text };

  for (guint64 i = 0; i < count; i++)
    {
      memset (text, 'a' + (int) (i % 26), sizeof text);
      if (!func (&piece, user_data, error))
        return FALSE;
    }
  if (strcmp (end, " fail") != 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED, "no more today");
  return FALSE;
}

static void
wire_engine_iface_init (ReeveLlmEngineInterface *iface)
{
  iface->generate = wire_engine_generate;
}

static const GType *
wire_engine_query_types (void)
{
  static GType types[2] = { G_TYPE_INVALID, G_TYPE_INVALID };

  types[0] = wire_engine_get_type ();
  return types;
}

REEVE_DEFINE_PLUGIN ("wire", "1.0.0", wire_engine_query_types);
