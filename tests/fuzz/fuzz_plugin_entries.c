/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a plugin asks of store.kv and store.blob: lines, each the parameters of one call. Behind all
 * of them lists say what is counted, nobody else sees anything, and what is listed can be read. */
/* covers: host/runtime/plugin-entries.c
 * host/runtime/plugin-values.c
 * host/runtime/plugin-blobs.c
 * host/runtime/plugin-quota.c */
#include "memory-storage.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/plugin-blobs.h"
#include "runtime/plugin-values.h"

#define LINES 40

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char *const capability_names[] = { "store.kv", "store.blob" };

typedef struct
{
  ReeveStorage *storage;
  ReeveStore *store;
  ReeveCapabilities *capabilities;
  ReeveBroker *brokers[2]; /* of two plugins */
} World;

static ReeveBroker *
make_broker (ReeveCapabilities *capabilities, const char *id)
{
  g_autofree char *text
      = g_strdup_printf ("[Plugin]\nId=%s\nVersion=1.0.0\nName=Fuzz\nDescription=Tries.\n"
                         "Kinds=tool\nApi=1.0\nLicence=LGPL-2.1-or-later\n\n[Capabilities]\nstore."
                         "kv=to try\nstore.blob=to try\n",
                         id);
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_strdup_printf ("/nonexistent/%s/%s.plugin", id, id);
  g_autoptr (ReeveManifest) manifest
      = reeve_manifest_new_from_data (text, strlen (text), path, &error);

  g_assert_no_error (error);
  return reeve_capabilities_new_broker (capabilities, manifest, id, NULL);
}

static void
set_up (World *world)
{
  world->storage = g_object_new (MEMORY_TYPE_STORAGE, NULL);
  world->store = reeve_store_new (world->storage);
  world->capabilities = reeve_capabilities_new ();
  g_assert_true (reeve_store_open (world->store, "/nonexistent", NULL));
  g_assert_true (reeve_store_create_scope (world->store, "acme", NULL));
  g_assert_true (reeve_store_create_scope (world->store, "other", NULL));
  reeve_plugin_values_provide (world->store, world->capabilities);
  reeve_plugin_blobs_provide (world->store, world->capabilities);
  world->brokers[0] = make_broker (world->capabilities, "one");
  world->brokers[1] = make_broker (world->capabilities, "two");
}

static void
tear_down (World *world)
{
  g_clear_object (&world->brokers[0]);
  g_clear_object (&world->brokers[1]);
  reeve_store_close (world->store);
  g_clear_object (&world->store);
  g_clear_object (&world->storage);
  reeve_capabilities_unref (world->capabilities);
}

static ReeveContext *
make_context (World *world, guint plugin, const char *tenant)
{
  const ReeveContextInfo info = { .struct_size = sizeof info, .tenant_id = tenant };

  return reeve_context_new (&info, world->brokers[plugin], NULL);
}

/* (transfer full) (nullable) */
static JsonNode *
ask (ReeveContext *context, const char *capability, const char *text, gsize length, GBytes *bytes)
{
  g_autoptr (JsonNode) params = reeve_json_parse_strict (text, length, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = NULL;
  JsonNode *answer = NULL;

  if (params == NULL || !JSON_NODE_HOLDS_OBJECT (params))
    return NULL;
  if (bytes != NULL)
    content = reeve_context_transfer (context, capability, params, bytes, &answer, &error);
  else
    answer = reeve_context_call (context, capability, params, &error);
  g_assert ((answer == NULL) == (error != NULL));
  g_assert (error == NULL || error->domain == REEVE_ERROR);
  return answer;
}

static JsonArray *
list (ReeveContext *context, const char *capability, JsonNode **answer)
{
  *answer = ask (context, capability, "{\"op\":\"list\"}", 13, NULL);
  g_assert (*answer != NULL);
  return reeve_json_get_array (json_node_get_object (*answer), "entries");
}

/* What the next entry makes of the count is what all the others say. */
static void
check_count (ReeveContext *context, const char *capability)
{
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  static const char put[] = "{\"op\":\"put\",\"key\":\"\xf4\x8f\xbf\xbf\",\"value\":1}";
  g_autoptr (JsonNode) made = ask (context, capability, put, sizeof put - 1,
                                   strcmp (capability, "store.blob") == 0 ? nothing : NULL);
  g_autoptr (JsonNode) answer = NULL;
  JsonArray *entries = list (context, capability, &answer);
  gint64 sum = 0;

  for (guint i = 0; i < json_array_get_length (entries); i++)
    sum += reeve_json_get_int (json_array_get_object_element (entries, i), "bytes", -1);
  g_assert (made != NULL);
  g_assert_cmpint (sum, ==, reeve_json_get_int (json_node_get_object (made), "used", -1));
}

/* Each that is listed is there. */
static void
check_reading (ReeveContext *context, const char *capability)
{
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_autoptr (JsonNode) answer = NULL;
  JsonArray *entries = list (context, capability, &answer);

  for (guint i = 0; i < json_array_get_length (entries); i++)
    {
      g_autoptr (JsonNode) asked = json_node_new (JSON_NODE_OBJECT);
      g_autoptr (JsonNode) got = NULL;
      g_autofree char *text = NULL;
      JsonObject *params = json_object_new ();
      JsonObject *entry = json_array_get_object_element (entries, i);

      json_object_set_string_member (params, "op", "get");
      json_object_set_string_member (params, "key", reeve_json_get_string (entry, "key", ""));
      json_node_take_object (asked, params);
      text = reeve_json_text (asked);
      got = ask (context, capability, text, strlen (text), nothing);
      if (strcmp (capability, "store.kv") == 0 && got == NULL)
        got = ask (context, capability, text, strlen (text), NULL);
      g_assert (got != NULL);
      g_assert_cmpint (reeve_json_get_int (json_node_get_object (got), "revision", -1), ==,
                       reeve_json_get_int (entry, "revision", -2));
    }
}

static void
check_nobody (World *world, guint plugin, const char *tenant)
{
  g_autoptr (ReeveContext) context = make_context (world, plugin, tenant);

  for (guint i = 0; i < G_N_ELEMENTS (capability_names); i++)
    {
      g_autoptr (JsonNode) answer = NULL;

      g_assert_cmpuint (json_array_get_length (list (context, capability_names[i], &answer)), ==,
                        0);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  World world = { 0 };
  g_autoptr (ReeveContext) context = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (data, MIN (size, 100));
  g_autofree char *text = g_strndup (size > 0 ? (const char *) data : "", size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", LINES);

  set_up (&world);
  context = make_context (&world, 0, "acme");
  for (guint i = 0; lines[i] != NULL; i++)
    for (guint j = 0; j < G_N_ELEMENTS (capability_names); j++)
      {
        g_autoptr (JsonNode) called
            = ask (context, capability_names[j], lines[i], strlen (lines[i]), NULL);
        g_autoptr (JsonNode) transferred = NULL;

        if (j == 1)
          transferred = ask (context, capability_names[j], lines[i], strlen (lines[i]), bytes);
      }
  for (guint j = 0; j < G_N_ELEMENTS (capability_names); j++)
    {
      check_count (context, capability_names[j]);
      check_reading (context, capability_names[j]);
    }
  check_nobody (&world, 1, "acme");
  check_nobody (&world, 0, "other");
  g_clear_object (&context);
  tear_down (&world);
  return 0;
}
