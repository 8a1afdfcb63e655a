/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The least that is an engine. */
#include "fake-engine.h"

#include <string.h>

#define FAKE_TYPE_ENGINE (fake_engine_get_type ())
G_DECLARE_FINAL_TYPE (FakeEngine, fake_engine, FAKE, ENGINE, ReevePlugin)

struct _FakeEngine
{
  ReevePlugin parent_instance;
};

static void fake_engine_iface_init (ReeveLlmEngineInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeEngine, fake_engine, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_ENGINE,
                                                      fake_engine_iface_init))

static gboolean
fake_engine_say (ReeveLlmDeltaKind kind, const char *text, ReeveLlmDeltaFunc func,
                 gpointer user_data, GError **error)
{
  g_autofree char *copy = g_strdup (text);
  ReeveLlmDelta delta = { .struct_size = sizeof delta,
                          .kind = kind,
                          .text = copy,
                          .input_tokens = 3,
                          .output_tokens = 3,
                          .cached_tokens = -1,
                          .reasoning_tokens = -1 };

  delta.text_length = text != NULL ? strlen (text) : 0;
  return func (&delta, user_data, error);
}

static gboolean
fake_engine_generate (ReeveLlmEngine *self, ReeveLlmRequest *request, ReeveContext *context,
                      ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  static const char *const words[] = { "one ", "two ", "three " };

  g_assert_cmpstr (reeve_context_get_tenant_id (context), ==, "t");
  g_object_set_data_full (G_OBJECT (self), "context", g_object_ref (context), g_object_unref);
  g_assert_cmpuint (json_array_get_length (reeve_llm_request_get_messages (request)), ==, 1);
  if (g_str_equal (reeve_llm_request_get_model (request), "fail"))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED, "it failed");
      return FALSE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      if (!fake_engine_say (REEVE_LLM_DELTA_TEXT, words[i], func, user_data, error))
        return FALSE;
      g_usleep (5000);
    }
  return fake_engine_say (REEVE_LLM_DELTA_USAGE, NULL, func, user_data, error)
         && fake_engine_say (REEVE_LLM_DELTA_FINISH, "stop", func, user_data, error);
}

static void
fake_engine_iface_init (ReeveLlmEngineInterface *iface)
{
  iface->generate = fake_engine_generate;
}

static void
fake_engine_class_init (FakeEngineClass *klass)
{
}

static void
fake_engine_init (FakeEngine *self)
{
}

ReevePlugin *
fake_engine_new (void)
{
  return g_object_new (FAKE_TYPE_ENGINE, NULL);
}
