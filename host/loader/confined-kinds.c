/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tools, sinks, extractors and engines of a ReeveConfinedInstance: what each call is, which is made
 * once more when a process ended in it, and by what an input is known again. */
#include "confined-instance.h"

#include <string.h>

#include "base/digests.h"
#include "wire/wire-llm.h"

#include "manifest-offers.h"
#include "wire-instance.h"

/* ---- tools ---- */

typedef struct
{
  ReeveContext *context;
  const char *name;
  JsonObject *arguments;
  GPtrArray *tools;
  ReeveToolResult *result;
} ReeveConfinedKindsTool;

static gboolean
reeve_confined_kinds_do_list (ReevePlugin *plugin, gpointer data, GError **error)
{
  ReeveConfinedKindsTool *tool = data;

  tool->tools = reeve_tool_list (REEVE_TOOL (plugin), tool->context, error);
  return tool->tools != NULL;
}

static gpointer
reeve_confined_kinds_copy (gconstpointer info, gpointer data)
{
  return reeve_tool_info_ref ((ReeveToolInfo *) info);
}

static GPtrArray *
reeve_confined_kinds_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  ReeveConfinedInstance *self = REEVE_CONFINED_INSTANCE (tool);
  g_autoptr (ReeveManifest) manifest = reeve_confined_instance_get_manifest (self);
  GPtrArray *known = reeve_manifest_offers_get_tools (manifest);
  ReeveConfinedKindsTool listing = { .context = context };
  const ReeveConfinedCall call
      = { .func = reeve_confined_kinds_do_list, .data = &listing, .again = TRUE };

  if (known != NULL && reeve_confined_instance_is_plain (self))
    return g_ptr_array_copy (known, reeve_confined_kinds_copy, NULL);
  reeve_confined_instance_perform (self, context, &call, error);
  return listing.tools;
}

static gboolean
reeve_confined_kinds_do_call (ReevePlugin *plugin, gpointer data, GError **error)
{
  ReeveConfinedKindsTool *tool = data;

  tool->result
      = reeve_tool_call (REEVE_TOOL (plugin), tool->name, tool->arguments, tool->context, error);
  return tool->result != NULL;
}

static char *
reeve_confined_kinds_digest_call (gpointer data)
{
  ReeveConfinedKindsTool *tool = data;
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), tool->arguments);
  g_autofree char *arguments = reeve_json_canonical (node);
  g_autofree char *text = g_strconcat (tool->name, "\n", arguments, NULL);

  return reeve_digests_sha256_hex (text, strlen (text));
}

/* Declared by the manifest: what the plugin says later is the same, or it would not run. */
static gboolean
reeve_confined_kinds_is_idempotent (ReeveConfinedInstance *self, const char *name)
{
  g_autoptr (ReeveManifest) manifest = reeve_confined_instance_get_manifest (self);
  GPtrArray *known = reeve_manifest_offers_get_tools (manifest);

  for (guint i = 0; known != NULL && i < known->len; i++)
    {
      if (strcmp (reeve_tool_info_get_name (known->pdata[i]), name) == 0)
        return (reeve_tool_info_get_hints (known->pdata[i]) & REEVE_TOOL_IDEMPOTENT) != 0;
    }
  return FALSE;
}

static ReeveToolResult *
reeve_confined_kinds_call (ReeveTool *tool, const char *name, JsonObject *arguments,
                           ReeveContext *context, GError **error)
{
  ReeveConfinedInstance *self = REEVE_CONFINED_INSTANCE (tool);
  ReeveConfinedKindsTool data = { .context = context, .name = name, .arguments = arguments };
  const ReeveConfinedCall call = { .func = reeve_confined_kinds_do_call,
                                   .digest = reeve_confined_kinds_digest_call,
                                   .data = &data,
                                   .again = reeve_confined_kinds_is_idempotent (self, name) };

  reeve_confined_instance_perform (self, context, &call, error);
  return data.result;
}

void
reeve_confined_kinds_init_tool (gpointer iface, gpointer data)
{
  ReeveToolInterface *tool = iface;

  tool->list = reeve_confined_kinds_list;
  tool->call = reeve_confined_kinds_call;
}

/* ---- sinks: whoever sends to them sends again what did not arrive ---- */

typedef struct
{
  ReeveContext *context;
  ReeveSinkBatch *batch;
  guint delivered;
} ReeveConfinedKindsSink;

static gboolean
reeve_confined_kinds_do_deliver (ReevePlugin *plugin, gpointer data, GError **error)
{
  ReeveConfinedKindsSink *sink = data;
  g_autoptr (GError) problem = NULL;

  sink->delivered = reeve_sink_deliver (REEVE_SINK (plugin), sink->batch, sink->context, &problem);
  if (problem == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static guint
reeve_confined_kinds_deliver (ReeveSink *sink, ReeveSinkBatch *batch, ReeveContext *context,
                              GError **error)
{
  ReeveConfinedKindsSink data = { .context = context, .batch = batch };
  const ReeveConfinedCall call = { .func = reeve_confined_kinds_do_deliver, .data = &data };

  reeve_confined_instance_perform (REEVE_CONFINED_INSTANCE (sink), context, &call, error);
  return data.delivered;
}

void
reeve_confined_kinds_init_sink (gpointer iface, gpointer data)
{
  ReeveSinkInterface *sink = iface;

  sink->deliver = reeve_confined_kinds_deliver;
}

/* ---- extractors: a pure function of the bytes ---- */

typedef struct
{
  ReeveContext *context;
  GBytes *bytes;
  const char *media_type;
  const char *file_name;
  ReeveExtract *extract;
} ReeveConfinedKindsExtract;

static gboolean
reeve_confined_kinds_do_extract (ReevePlugin *plugin, gpointer data, GError **error)
{
  ReeveConfinedKindsExtract *one = data;

  one->extract = reeve_extractor_extract (REEVE_EXTRACTOR (plugin), one->bytes, one->media_type,
                                          one->file_name, one->context, error);
  return one->extract != NULL;
}

static char *
reeve_confined_kinds_digest_extract (gpointer data)
{
  ReeveConfinedKindsExtract *one = data;

  return reeve_digests_sha256_hex (g_bytes_get_data (one->bytes, NULL),
                                   g_bytes_get_size (one->bytes));
}

static ReeveExtract *
reeve_confined_kinds_extract (ReeveExtractor *extractor, GBytes *bytes, const char *media_type,
                              const char *file_name, ReeveContext *context, GError **error)
{
  ReeveConfinedKindsExtract data = { context, bytes, media_type, file_name, NULL };
  const ReeveConfinedCall call = { .func = reeve_confined_kinds_do_extract,
                                   .digest = reeve_confined_kinds_digest_extract,
                                   .data = &data,
                                   .again = TRUE };

  reeve_confined_instance_perform (REEVE_CONFINED_INSTANCE (extractor), context, &call, error);
  return data.extract;
}

static const char *const *
reeve_confined_kinds_media_types (ReeveExtractor *extractor)
{
  return reeve_confined_instance_get_media_types (REEVE_CONFINED_INSTANCE (extractor));
}

void
reeve_confined_kinds_init_extractor (gpointer iface, gpointer data)
{
  ReeveExtractorInterface *extractor = iface;

  extractor->media_types = reeve_confined_kinds_media_types;
  extractor->extract = reeve_confined_kinds_extract;
}

/* ---- engines: what was said cannot be taken back, so it is never said twice. One that may use
 * nothing but its processor is asked once more where its process ended before it said anything.
 * ---- */

typedef struct
{
  ReeveContext *context;
  ReeveLlmRequest *request;
  GBytes *text; /* it, as it goes over the wire */
  ReeveLlmDeltaFunc func;
  gpointer user_data;
  gboolean said;
} ReeveConfinedKindsEngine;

static gboolean
reeve_confined_kinds_on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  ReeveConfinedKindsEngine *engine = user_data;

  engine->said = TRUE;
  return engine->func (delta, engine->user_data, error);
}

static gboolean
reeve_confined_kinds_do_generate (ReevePlugin *plugin, gpointer data, GError **error)
{
  ReeveConfinedKindsEngine *engine = data;

  return reeve_wire_engine_generate_text (REEVE_LLM_ENGINE (plugin), engine->request, engine->text,
                                          engine->context, reeve_confined_kinds_on_delta, engine,
                                          error);
}

static char *
reeve_confined_kinds_digest_request (gpointer data)
{
  ReeveConfinedKindsEngine *engine = data;

  return reeve_digests_sha256_hex (g_bytes_get_data (engine->text, NULL),
                                   g_bytes_get_size (engine->text));
}

gboolean
reeve_confined_kinds_generate_text (ReeveLlmEngine *engine, ReeveLlmRequest *request, GBytes *text,
                                    ReeveContext *context, ReeveLlmDeltaFunc func,
                                    gpointer user_data, GError **error)
{
  ReeveConfinedInstance *self = REEVE_CONFINED_INSTANCE (engine);
  g_autoptr (ReeveManifest) manifest = reeve_confined_instance_get_manifest (self);
  ReeveConfinedKindsEngine data = { context, request, text, func, user_data, FALSE };
  const ReeveConfinedCall call = { .func = reeve_confined_kinds_do_generate,
                                   .digest = reeve_confined_kinds_digest_request,
                                   .data = &data,
                                   .again = reeve_manifest_get_capabilities (manifest)[0] == NULL,
                                   .said = &data.said };

  return reeve_confined_instance_perform (self, context, &call, error);
}

GBytes *
reeve_confined_kinds_write_request (ReeveLlmEngine *engine, ReeveLlmRequest *request)
{
  char *text = NULL;

  if (!REEVE_IS_CONFINED_INSTANCE (engine))
    return NULL;
  text = wire_llm_request_to_text (request);
  return g_bytes_new_take (text, strlen (text));
}

static gboolean
reeve_confined_kinds_generate (ReeveLlmEngine *engine, ReeveLlmRequest *request,
                               ReeveContext *context, ReeveLlmDeltaFunc func, gpointer user_data,
                               GError **error)
{
  g_autoptr (GBytes) text = reeve_confined_kinds_write_request (engine, request);

  return reeve_confined_kinds_generate_text (engine, request, text, context, func, user_data,
                                             error);
}

void
reeve_confined_kinds_init_engine (gpointer iface, gpointer data)
{
  ReeveLlmEngineInterface *engine = iface;

  engine->generate = reeve_confined_kinds_generate;
}
