/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One small plugin, compiled once for each row of plugins.json that has "defines": wrong in what
 * those say and right in the rest. It offers a tool, a storage, an authentication and a model, so
 * that a configuration can name it for each. */
#include <signal.h>
#include <glib/gstdio.h>
#include <reeve-plugin-1.h>
#include <string.h>
#include <unistd.h>

#ifdef BROKEN_PROBES
#include "probe.h"
#endif

/* BROKEN_FOLDER is given: the row */
#ifndef BROKEN_ID
#define BROKEN_ID BROKEN_FOLDER
#endif
#ifndef BROKEN_VERSION
#define BROKEN_VERSION "1.2.3"
#endif
#ifndef BROKEN_MAGIC
#define BROKEN_MAGIC REEVE_PLUGIN_MAGIC
#endif
#ifndef BROKEN_SIZE
#define BROKEN_SIZE sizeof (ReevePluginDescriptor)
#endif
#ifndef BROKEN_MAJOR
#define BROKEN_MAJOR REEVE_API_MAJOR
#endif
#ifndef BROKEN_MINOR
#define BROKEN_MINOR REEVE_API_MINOR
#endif
#ifndef BROKEN_RESERVED
#define BROKEN_RESERVED NULL
#endif
#ifndef BROKEN_TYPES
#define BROKEN_TYPES broken_types_one
#endif
#ifndef BROKEN_SETUP
#define BROKEN_SETUP broken_setup_well
#endif
#ifndef BROKEN_LIST
#define BROKEN_LIST broken_list_own
#endif
#ifndef BROKEN_FLAGS
#define BROKEN_FLAGS 0
#endif

#define BROKEN_TYPE_NAME "Broken-" BROKEN_FOLDER

#ifdef BROKEN_ENDS_LOADING
__attribute__ ((constructor)) static void
broken_end_loading (void)
{
  _exit (5);
}
#endif

#ifdef BROKEN_SPINS_LOADING
__attribute__ ((constructor)) static void
broken_spin_loading (void)
{
  for (volatile guint i = 0;; i++)
    continue;
}
#endif

#ifdef BROKEN_HANGS_LOADING
__attribute__ ((constructor)) static void
broken_hang_loading (void)
{
  while (TRUE)
    pause ();
}
#endif

/* ---- lists of tools ---- */

static GPtrArray *
broken_make_list (const char *first, const char *second, const char *schema)
{
  g_autoptr (JsonNode) parameters = reeve_json_parse_strict (schema, strlen (schema), NULL);
  GPtrArray *tools = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);

  g_ptr_array_add (tools, reeve_tool_info_new (first, "x", parameters, REEVE_TOOL_READ_ONLY));
  if (second != NULL)
    g_ptr_array_add (tools, reeve_tool_info_new (second, "x", parameters, REEVE_TOOL_READ_ONLY));
  return tools;
}

static GPtrArray *
broken_list_own (ReeveTool *tool, ReeveContext *context, GError **error)
{
  return broken_make_list ("tool-of-" BROKEN_FOLDER, NULL, "{\"type\":\"object\"}");
}

static GPtrArray *
broken_list_nothing (ReeveTool *tool, ReeveContext *context, GError **error)
{
  return NULL;
}

static GPtrArray *
broken_list_hole (ReeveTool *tool, ReeveContext *context, GError **error)
{
  GPtrArray *tools = g_ptr_array_new ();

  g_ptr_array_add (tools, NULL);
  return tools;
}

static GPtrArray *
broken_list_bad_name (ReeveTool *tool, ReeveContext *context, GError **error)
{
  return broken_make_list ("a-good-one", "rm -rf /", "{\"type\":\"object\"}");
}

static GPtrArray *
broken_list_twice (ReeveTool *tool, ReeveContext *context, GError **error)
{
  return broken_make_list ("same", "same", "{\"type\":\"object\"}");
}

static GPtrArray *
broken_list_bad_schema (ReeveTool *tool, ReeveContext *context, GError **error)
{
  return broken_make_list ("a-tool", NULL, "{\"type\":\"wizard\"}");
}

static GPtrArray *
broken_list_hang (ReeveTool *tool, ReeveContext *context, GError **error)
{
  for (;;)
    pause ();
  return NULL;
}

/* ---- setups ---- */

static gboolean
broken_setup_well (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  return TRUE;
}

static gboolean
broken_setup_fail (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "line-4: login timeout");
  return FALSE;
}

static gboolean
broken_setup_fail_mutely (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                          GError **error)
{
  return FALSE;
}

static gboolean
broken_setup_contradict (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                         GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "line-4: login timeout");
  return TRUE;
}

/* a text that no list and no terminal should have to show as it is */
static gboolean
broken_setup_rave (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  g_autofree char *noise = g_strnfill (100000, 'x');

  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "\033[2J\xff\xfe\n%s", noise);
  return FALSE;
}

static gboolean
broken_setup_hang (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  for (;;)
    pause ();
  return TRUE;
}

/* Gets ready only when nobody waits any more, and finds that nothing can be reached then. */
static gboolean
broken_setup_late (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  g_autoptr (JsonNode) params = reeve_json_parse_strict ("{}", 2, NULL);
  g_autoptr (GError) refusal = NULL;

  while (!g_cancellable_is_cancelled (reeve_context_get_cancellable (context)))
    g_usleep (1000);
  while (refusal == NULL)
    {
      g_autoptr (JsonNode) time = reeve_context_call (context, "clock", params, &refusal);
      g_usleep (1000);
    }
  return TRUE;
}

/* Leaves a file, so that a test sees that it was called. */
static void
broken_shutdown (ReevePlugin *plugin)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "shutdown-of-" BROKEN_FOLDER, NULL);

  g_file_set_contents (path, "", 0, NULL);
}

/* ---- the type ---- */

static void
broken_tool_init (gpointer iface, gpointer data)
{
  ((ReeveToolInterface *) iface)->list = BROKEN_LIST;
#ifdef BROKEN_PROBES
  ((ReeveToolInterface *) iface)->call = probe_call;
#endif
}

#ifdef BROKEN_EXTRACTS
/* A document that says so ends the process. */
static const char *const *
broken_media_types (ReeveExtractor *extractor)
{
  static const char *const types[] = { "text/x-fragile", NULL };

  return types;
}

static ReeveExtract *
broken_extract (ReeveExtractor *extractor, GBytes *bytes, const char *media_type,
                const char *file_name, ReeveContext *context, GError **error)
{
  gsize size = 0;
  const char *data = g_bytes_get_data (bytes, &size);
  g_autofree char *text = g_strndup (data, size);
  ReeveExtract *extract = reeve_extract_new (NULL);

  if (strstr (text, "END") != NULL)
    raise (SIGSEGV);
  reeve_extract_add_page (extract, 0, text);
  return extract;
}

static void
broken_extractor_init (gpointer iface, gpointer data)
{
  ((ReeveExtractorInterface *) iface)->media_types = broken_media_types;
  ((ReeveExtractorInterface *) iface)->extract = broken_extract;
}
#endif

#ifdef BROKEN_ANSWERS
/* A question that names this process ends it, before the answer's first piece or `late`, behind it;
 * one with END ends any. One with LONG is answered with how many there were, in more than a message
 * of the wire holds. Of one with ASK an address comes behind that, which is asked before. */
static gboolean
broken_answer_long (ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  static gint n_asked = 0;
  g_autofree char *filling = g_strnfill (800 * 1024, 'x');
  g_autofree char *text = g_strdup_printf ("%d%s", g_atomic_int_add (&n_asked, 1) + 1, filling);
  const ReeveLlmDelta piece = { .struct_size = sizeof piece,
                                .kind = REEVE_LLM_DELTA_TEXT,
                                .text = text,
                                .text_length = strlen (text) };

  return func (&piece, user_data, error);
}

static gboolean
broken_ask (const char *asked, ReeveContext *context, GError **error)
{
  const char *at = strstr (asked, "ASK ");
  g_autofree char *url = at != NULL ? g_strndup (at + 4, strcspn (at + 4, " ")) : NULL;
  g_autoptr (ReeveHttpRequest) request = url != NULL ? reeve_http_request_new ("POST", url) : NULL;
  g_autoptr (ReeveHttpResponse) response = NULL;

  if (request != NULL)
    response = reeve_context_http (context, request, error);
  return request == NULL || response != NULL;
}

static gboolean
broken_generate (ReeveLlmEngine *engine, ReeveLlmRequest *request, ReeveContext *context,
                 ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  JsonArray *messages = reeve_llm_request_get_messages (request);
  JsonObject *last = json_array_get_object_element (messages, json_array_get_length (messages) - 1);
  const char *asked = reeve_json_get_string (last, "content", "");
  g_autofree char *own = g_strdup_printf ("end %d", (int) getpid ());
  gboolean ends = strstr (asked, "END") != NULL || strstr (asked, own) != NULL;
  const ReeveLlmDelta pieces[] = {
    { .struct_size = sizeof *pieces,
      .kind = REEVE_LLM_DELTA_TEXT,
      .text = "one",
      .text_length = 3 },
    { .struct_size = sizeof *pieces,
      .kind = REEVE_LLM_DELTA_TEXT,
      .text = "two",
      .text_length = 3 },
    { .struct_size = sizeof *pieces,
      .kind = REEVE_LLM_DELTA_FINISH,
      .text = "stop",
      .text_length = 4 },
  };

  if (strstr (asked, "LONG") != NULL)
    return broken_answer_long (func, user_data, error);
  if (!broken_ask (asked, context, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      if (ends && i == (strstr (asked, "late") != NULL ? 1 : 0))
        raise (SIGSEGV);
      if (!func (&pieces[i], user_data, error))
        return FALSE;
    }
  return TRUE;
}

static void
broken_engine_init (gpointer iface, gpointer data)
{
  ((ReeveLlmEngineInterface *) iface)->generate = broken_generate;
}
#endif

static GObject *
broken_construct_nothing (GType type, guint n, GObjectConstructParam *properties)
{
  return NULL;
}

static GObject *
broken_construct_other (GType type, guint n, GObjectConstructParam *properties)
{
  return g_object_new (G_TYPE_CANCELLABLE, NULL);
}

static void
broken_class_init (gpointer klass, gpointer data)
{
  REEVE_PLUGIN_CLASS (klass)->setup = BROKEN_SETUP;
  REEVE_PLUGIN_CLASS (klass)->shutdown = broken_shutdown;
#ifdef BROKEN_CONSTRUCTOR
  G_OBJECT_CLASS (klass)->constructor = BROKEN_CONSTRUCTOR;
#endif
}

static void
broken_init (GTypeInstance *instance, gpointer klass)
{
#ifdef BROKEN_INIT_HANGS
  for (;;)
    pause ();
#endif
}

static GType
broken_register (void)
{
  static const GInterfaceInfo plain = { NULL, NULL, NULL };
  static const GInterfaceInfo tool = { broken_tool_init, NULL, NULL };
  const GType type = g_type_register_static_simple (
      REEVE_TYPE_PLUGIN, BROKEN_TYPE_NAME, sizeof (ReevePluginClass), broken_class_init,
      sizeof (ReevePlugin), broken_init, BROKEN_FLAGS);

#ifdef BROKEN_EXTRACTS
  static const GInterfaceInfo extractor = { broken_extractor_init, NULL, NULL };
  g_type_add_interface_static (type, REEVE_TYPE_EXTRACTOR, &extractor);
#endif
#ifdef BROKEN_ANSWERS
  static const GInterfaceInfo engine = { broken_engine_init, NULL, NULL };
  g_type_add_interface_static (type, REEVE_TYPE_LLM_ENGINE, &engine);
#endif
#ifndef BROKEN_NO_INTERFACE
  g_type_add_interface_static (type, REEVE_TYPE_TOOL, &tool);
  g_type_add_interface_static (type, REEVE_TYPE_STORAGE, &plain);
  g_type_add_interface_static (type, REEVE_TYPE_AUTH, &plain);
  g_type_add_interface_static (type, REEVE_TYPE_LLM_CODEC, &plain);
#endif
  return type;
}

/* ---- the lists of types ---- */

static const GType *
broken_types_one (void)
{
  static GType types[2];

  /* a test that makes two hosts in one process asks twice */
  types[0] = g_type_from_name (BROKEN_TYPE_NAME);
  if (types[0] == G_TYPE_INVALID)
    types[0] = broken_register ();
  return types;
}

static const GType *
broken_types_none (void)
{
  return NULL;
}

static const GType *
broken_types_other (void)
{
  static GType types[2];

  types[0] = G_TYPE_OBJECT;
  return types;
}

static const GType *
broken_types_endless (void)
{
  static GType types[64];

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    types[i] = broken_types_one ()[0];
  return types;
}

/* ---- what is exported ---- */

/* GModule would call this before anything was checked; the host must not */
__attribute__ ((visibility ("default"))) extern const char *g_module_check_init (gpointer module);

const char *
g_module_check_init (gpointer module)
{
  abort ();
}

#ifdef BROKEN_UNRESOLVED
extern void broken_that_nobody_defines (void);
__attribute__ ((visibility ("default"))) void broken_call_it (void);

void
broken_call_it (void)
{
  broken_that_nobody_defines ();
}
#endif

#ifdef BROKEN_SYMBOL
#define reeve_plugin_descriptor BROKEN_SYMBOL
#endif

__attribute__ ((visibility ("default"))) extern const ReevePluginDescriptor reeve_plugin_descriptor;
const ReevePluginDescriptor reeve_plugin_descriptor = {
  .magic = BROKEN_MAGIC,
  .struct_size = BROKEN_SIZE,
  .abi_major = BROKEN_MAJOR,
  .abi_minor = BROKEN_MINOR,
  .id = BROKEN_ID,
  .version = BROKEN_VERSION,
  .query_types = BROKEN_TYPES,
  .reserved = { BROKEN_RESERVED },
};
