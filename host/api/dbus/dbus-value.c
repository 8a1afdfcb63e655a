/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An object is a{sv}, an array av, a whole number x, another d. D-Bus has no null: a member that is
 * null is left out. A bus throws out who sends what is nested deeper than 64 levels, of which an
 * object takes three: what lies too deep is sent as JSON text, and refused when it comes. */
#include "dbus-value.h"

#include <math.h>
#include <string.h>

#include <reeve-json.h>
#include <reeve-plugin-1.h>

#define REEVE_DBUS_VALUE_DEPTH 16

/* ---- out ---- */

static GVariant *reeve_dbus_value_from_node (JsonNode *node, guint depth);

/* (transfer floating) */
static GVariant *
reeve_dbus_value_from_text (const char *text)
{
  return g_variant_new_take_string (g_utf8_make_valid (text, -1));
}

/* (transfer floating) */
static GVariant *
reeve_dbus_value_from_members (JsonObject *object, guint depth)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *member = NULL;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &member))
    {
      g_autofree char *key = g_utf8_make_valid (name, -1);

      if (!JSON_NODE_HOLDS_NULL (member))
        g_variant_builder_add (&builder, "{sv}", key, reeve_dbus_value_from_node (member, depth));
    }
  return g_variant_builder_end (&builder);
}

/* (transfer floating) */
static GVariant *
reeve_dbus_value_from_elements (JsonArray *array, guint depth)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("av"));

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);

      if (!JSON_NODE_HOLDS_NULL (element))
        g_variant_builder_add (&builder, "v", reeve_dbus_value_from_node (element, depth));
    }
  return g_variant_builder_end (&builder);
}

/* (transfer floating) */
static GVariant *
reeve_dbus_value_from_node (JsonNode *node, guint depth)
{
  if (!JSON_NODE_HOLDS_VALUE (node) && depth >= REEVE_DBUS_VALUE_DEPTH)
    {
      g_autofree char *text = reeve_json_text (node);

      return reeve_dbus_value_from_text (text);
    }
  if (JSON_NODE_HOLDS_OBJECT (node))
    return reeve_dbus_value_from_members (json_node_get_object (node), depth + 1);
  if (JSON_NODE_HOLDS_ARRAY (node))
    return reeve_dbus_value_from_elements (json_node_get_array (node), depth + 1);
  switch (json_node_get_value_type (node))
    {
    case G_TYPE_BOOLEAN:
      return g_variant_new_boolean (json_node_get_boolean (node));
    case G_TYPE_INT64:
      return g_variant_new_int64 (json_node_get_int (node));
    case G_TYPE_DOUBLE:
      return g_variant_new_double (json_node_get_double (node));
    default:
      return reeve_dbus_value_from_text (json_node_get_string (node));
    }
}

/**
 * reeve_dbus_value_from_object:
 * @object: (nullable): an object
 *
 * Returns: (transfer floating): its members as a{sv}, without those that are null; of %NULL none
 */
GVariant *
reeve_dbus_value_from_object (JsonObject *object)
{
  g_autoptr (JsonObject) none = object == NULL ? json_object_new () : NULL;

  return reeve_dbus_value_from_members (object != NULL ? object : none, 1);
}

/**
 * reeve_dbus_value_from_objects:
 * @array: (nullable): objects; what is none is left out
 *
 * Returns: (transfer floating): aa{sv}
 */
GVariant *
reeve_dbus_value_from_objects (JsonArray *array)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_OBJECT (element))
        g_variant_builder_add_value (
            &builder, reeve_dbus_value_from_members (json_node_get_object (element), 1));
    }
  return g_variant_builder_end (&builder);
}

/* ---- in ---- */

static JsonNode *reeve_dbus_value_read (GVariant *value, guint depth, GError **error);

static JsonNode *
reeve_dbus_value_refuse (GError **error, const char *why)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, why);
  return NULL;
}

static gboolean
reeve_dbus_value_read_entry (GVariant *entry, JsonObject *object, guint depth, GError **error)
{
  g_autoptr (GVariant) key = g_variant_get_child_value (entry, 0);
  g_autoptr (GVariant) inner = g_variant_get_child_value (entry, 1);
  const char *name = g_variant_get_string (key, NULL);
  JsonNode *member = NULL;

  if (json_object_has_member (object, name))
    {
      (void) reeve_dbus_value_refuse (error, "a name is there twice");
      return FALSE;
    }
  member = reeve_dbus_value_read (inner, depth, error);
  if (member != NULL)
    json_object_set_member (object, name, member);
  return member != NULL;
}

static JsonNode *
reeve_dbus_value_read_dictionary (GVariant *value, guint depth, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  gsize length = g_variant_n_children (value);

  for (gsize i = 0; i < length; i++)
    {
      g_autoptr (GVariant) entry = g_variant_get_child_value (value, i);

      if (!reeve_dbus_value_read_entry (entry, object, depth, error))
        return NULL;
    }
  return json_node_init_object (json_node_alloc (), object);
}

static JsonNode *
reeve_dbus_value_read_list (GVariant *value, guint depth, GError **error)
{
  g_autoptr (JsonArray) array = json_array_new ();
  gsize length = g_variant_n_children (value);

  for (gsize i = 0; i < length; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);
      JsonNode *element = reeve_dbus_value_read (child, depth, error);

      if (element == NULL)
        return NULL;
      json_array_add_element (array, element);
    }
  return json_node_init_array (json_node_alloc (), array);
}

static JsonNode *
reeve_dbus_value_read_whole (GVariant *value, GError **error)
{
  gint64 number = 0;

  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_BYTE:
      number = g_variant_get_byte (value);
      break;
    case G_VARIANT_CLASS_INT16:
      number = g_variant_get_int16 (value);
      break;
    case G_VARIANT_CLASS_UINT16:
      number = g_variant_get_uint16 (value);
      break;
    case G_VARIANT_CLASS_INT32:
      number = g_variant_get_int32 (value);
      break;
    case G_VARIANT_CLASS_UINT32:
      number = g_variant_get_uint32 (value);
      break;
    case G_VARIANT_CLASS_UINT64:
      if (g_variant_get_uint64 (value) > G_MAXINT64)
        return reeve_dbus_value_refuse (error, "a number is too great");
      number = (gint64) g_variant_get_uint64 (value);
      break;
    default:
      number = g_variant_get_int64 (value);
      break;
    }
  return json_node_init_int (json_node_alloc (), number);
}

static JsonNode *
reeve_dbus_value_read_scalar (GVariant *value, GError **error)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return json_node_init_string (json_node_alloc (), g_variant_get_string (value, NULL));
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    return json_node_init_boolean (json_node_alloc (), g_variant_get_boolean (value));
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_DOUBLE))
    return strchr ("ynqiuxt", *g_variant_get_type_string (value)) != NULL
               ? reeve_dbus_value_read_whole (value, error)
               : reeve_dbus_value_refuse (error, "a value is of a type that JSON has not");
  if (!isfinite (g_variant_get_double (value)))
    return reeve_dbus_value_refuse (error, "a number is not finite");
  return json_node_init_double (json_node_alloc (), g_variant_get_double (value));
}

static JsonNode *
reeve_dbus_value_read (GVariant *value, guint depth, GError **error)
{
  if (depth > REEVE_DBUS_VALUE_DEPTH)
    return reeve_dbus_value_refuse (error, "is nested too deeply");
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT))
    {
      g_autoptr (GVariant) inner = g_variant_get_variant (value);

      return reeve_dbus_value_read (inner, depth, error);
    }
  if (g_variant_is_of_type (value, G_VARIANT_TYPE ("a{s*}")))
    return reeve_dbus_value_read_dictionary (value, depth + 1, error);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_ARRAY)
      && !g_variant_is_of_type (value, G_VARIANT_TYPE ("a{?*}")))
    return reeve_dbus_value_read_list (value, depth + 1, error);
  return reeve_dbus_value_read_scalar (value, error);
}

/* Counts what is within, without a node of any of it. */
static gboolean
reeve_dbus_value_fits (GVariant *value, gsize *left)
{
  gsize length = g_variant_is_container (value) ? g_variant_n_children (value) : 0;

  if (length > *left)
    return FALSE;
  *left -= length;
  for (gsize i = 0; i < length; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);

      if (!reeve_dbus_value_fits (child, left))
        return FALSE;
    }
  return TRUE;
}

/**
 * reeve_dbus_value_to_json:
 * @value: any value
 * @error: return location: %REEVE_ERROR_INVALID_ARGUMENT says what JSON has not,
 * %REEVE_ERROR_TOO_LARGE that it is more than
 * %REEVE_DBUS_VALUE_MAX_VALUES keys, values and variants
 *
 * Returns: (transfer full) (nullable): dictionaries as objects, arrays as arrays
 */
JsonNode *
reeve_dbus_value_to_json (GVariant *value, GError **error)
{
  gsize left = REEVE_DBUS_VALUE_MAX_VALUES;

  if (!reeve_dbus_value_fits (value, &left))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "has more than %d values",
                   REEVE_DBUS_VALUE_MAX_VALUES);
      return NULL;
    }
  return reeve_dbus_value_read (value, 0, error);
}
