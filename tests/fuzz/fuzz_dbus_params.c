/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arguments of typed D-Bus methods: the first byte chooses the method, the rest is its arguments as
 * they come over a bus. What is collected can be written as JSON and read again, or is refused. */
/* covers: host/api/dbus/dbus-call.c */
#include "api/dbus/dbus-call.h"
#include "operations/gate-params.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const ReeveDbusMethod *
choose (guint number)
{
  guint n = 0;

  while (reeve_dbus_methods[n].interface != NULL)
    n++;
  return n > 0 ? &reeve_dbus_methods[number % n] : NULL;
}

static GVariant *
read_arguments (const ReeveDbusMethod *method, const uint8_t *data, size_t size)
{
  g_autoptr (GString) type = g_string_new ("(");
  g_autoptr (GVariant) raw = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  for (guint i = 0; method->arguments[i].name != NULL; i++)
    g_string_append (type, method->arguments[i].signature);
  g_string_append_c (type, ')');
  raw = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type->str), bytes, FALSE));
  return g_variant_get_normal_form (raw);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static ReeveSchemaCache *schemas = NULL;
  const ReeveDbusMethod *method = size > 0 ? choose (data[0]) : NULL;
  g_autoptr (GVariant) arguments = NULL;
  g_autoptr (JsonObject) params = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (JsonNode) again = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (method == NULL)
    return 0;
  if (schemas == NULL)
    schemas = reeve_schema_cache_new (reeve_operations);
  arguments = read_arguments (method, data + 1, size - 1);
  params = reeve_dbus_call_collect (method, arguments, &error);
  g_assert_true ((params == NULL) == (error != NULL));
  if (params == NULL)
    return 0;
  node = json_node_init_object (json_node_alloc (), params);
  text = reeve_json_canonical (node);
  again = reeve_json_parse_strict (text, strlen (text), &error);
  g_assert_no_error (error);
  g_autofree char *second = reeve_json_canonical (again);
  g_assert_cmpstr (text, ==, second);
  return 0;
}
