/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON from outside. json-glib's own parser crashes on deep nesting and takes duplicate names,
 * comments and numbers out of range, so that two readers of one text may see two things; nothing
 * from outside reaches it. A text is scanned first, and only one that is strictly right is built
 * into a tree. */
#include "reeve-json.h"

#include "reeve-json-scanner.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* builds from a text that was scanned, so it checks nothing again */
typedef struct
{
  const char *at;
  const char *end;
  GString *scratch; /* (nullable): of a text that is long, or has escapes */
  char little[256]; /* of all others, so that a small value takes no memory for them */
} ReeveJsonBuilder;

static JsonNode *reeve_json_build_value (ReeveJsonBuilder *builder);

/**
 * reeve_json_scan:
 * @data: (array length=length) (element-type guint8): a text, not necessarily terminated
 * @length: its bytes
 * @error: return location
 *
 * Says whether the whole of @data is one value in strict RFC 8259: valid UTF-8 without a byte order
 * mark, at most %REEVE_JSON_MAX_DEPTH containers deep, no name twice in an object, numbers within a
 * double's finite range, no U+0000 and no lone surrogate in a string, nothing behind the value.
 * Neither builds a tree nor allocates for any usual text.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT, whose text names line, column and the JSON
 * pointer, or with %REEVE_ERROR_TOO_LARGE beyond 2 GiB
 *
 * Since: 1.0
 */
gboolean
reeve_json_scan (const char *data, gsize length, GError **error)
{
  g_return_val_if_fail (data != NULL || length == 0, FALSE);

  return reeve_json_scanner_run (data, length, NULL, NULL, error);
}

/**
 * reeve_json_find_members: (skip)
 * @data: (array length=length) (element-type guint8): a text, not necessarily terminated
 * @length: its bytes
 * @names: (array zero-terminated=1): members to find
 * @slices: (array) (out caller-allocates): one for each of @names, filled with where their values
 * stand
 * @error: return location
 *
 * Scans as reeve_json_scan() does, demands an object, and finds members of its top level without
 * building a tree.
 *
 * Returns: %FALSE as reeve_json_scan(), or when the value is no object; @slices are then all empty
 *
 * Since: 1.0
 */
gboolean
reeve_json_find_members (const char *data, gsize length, const char *const *names,
                         ReeveJsonSlice *slices, GError **error)
{
  g_return_val_if_fail (data != NULL || length == 0, FALSE);
  g_return_val_if_fail (names != NULL && slices != NULL, FALSE);

  gsize n = g_strv_length ((char **) names);
  memset (slices, 0, n * sizeof *slices);
  if (reeve_json_scanner_run (data, length, names, slices, error))
    return TRUE;
  memset (slices, 0, n * sizeof *slices);
  return FALSE;
}

static void
reeve_json_skip_space (ReeveJsonBuilder *builder)
{
  while (*builder->at == ' ' || *builder->at == '\n' || *builder->at == '\r'
         || *builder->at == '\t')
    builder->at++;
}

/* Empties scratch. */
static void
reeve_json_build_scratch (ReeveJsonBuilder *builder)
{
  if (builder->scratch == NULL)
    builder->scratch = g_string_sized_new (sizeof builder->little * 2);
  g_string_truncate (builder->scratch, 0);
}

/* g_string_append_len() looks at much else first, and a text of JSON within a text has an escape
 * every few bytes. */
static inline void
reeve_json_build_append (GString *out, const char *bytes, gsize length)
{
  if (out->allocated_len - out->len <= length)
    {
      g_string_append_len (out, bytes, (gssize) length);
      return;
    }
  memcpy (out->str + out->len, bytes, length);
  out->len += length;
  out->str[out->len] = '\0';
}

/* Reads a string; it stands until the next one is read. @length: (out): its bytes */
static const char *
reeve_json_build_text (ReeveJsonBuilder *builder, gsize *length)
{
  char bytes[4];
  guint n_bytes = 0;

  builder->at++;
  const char *plain = reeve_json_scanner_skip_run (builder->at, builder->end);
  *length = (gsize) (plain - builder->at);
  if (*plain == '"' && *length < sizeof builder->little)
    {
      memcpy (builder->little, builder->at, *length);
      builder->little[*length] = '\0';
      builder->at = plain + 1;
      return builder->little;
    }
  reeve_json_build_scratch (builder);
  while (*builder->at != '"')
    {
      const char *run = builder->at;
      builder->at = reeve_json_scanner_skip_run (run, builder->end);
      reeve_json_build_append (builder->scratch, run, (gsize) (builder->at - run));
      while (*builder->at == '\\')
        {
          /* 12 bytes are the longest escape, and the scan saw that it is whole */
          builder->at = reeve_json_scanner_decode (builder->at, builder->at + 12, bytes, &n_bytes);
          reeve_json_build_append (builder->scratch, bytes, n_bytes);
        }
    }
  builder->at++;
  *length = builder->scratch->len;
  return builder->scratch->str;
}

static JsonNode *
reeve_json_build_number (ReeveJsonBuilder *builder)
{
  const char *start = builder->at;
  gboolean whole = TRUE;
  char *end = NULL;

  while (*builder->at != '\0' && strchr ("+-.0123456789eE", *builder->at) != NULL)
    {
      whole &= strchr (".eE", *builder->at) == NULL;
      builder->at++;
    }
  gsize length = (gsize) (builder->at - start);
  char *text = builder->little;
  if (length >= sizeof builder->little)
    {
      reeve_json_build_scratch (builder);
      g_string_set_size (builder->scratch, length);
      text = builder->scratch->str;
    }
  memcpy (text, start, length);
  text[length] = '\0';
  if (whole)
    {
      errno = 0;
      gint64 integer = g_ascii_strtoll (text, &end, 10);
      if (errno == 0)
        return json_node_init_int (json_node_alloc (), integer);
    }
  return json_node_init_double (json_node_alloc (), g_ascii_strtod (text, NULL));
}

static JsonNode *
reeve_json_build_object (ReeveJsonBuilder *builder)
{
  g_autoptr (JsonObject) object = json_object_new ();

  builder->at++;
  reeve_json_skip_space (builder);
  while (*builder->at != '}')
    {
      gsize length = 0;
      const char *text = reeve_json_build_text (builder, &length);
      char little[64];
      g_autofree char *big = length < sizeof little ? NULL : g_strdup (text);
      const char *name = big != NULL ? big : memcpy (little, text, length + 1);

      reeve_json_skip_space (builder);
      builder->at++; /* colon */
      json_object_set_member (object, name, reeve_json_build_value (builder));
      reeve_json_skip_space (builder);
      if (*builder->at == ',')
        builder->at++;
      reeve_json_skip_space (builder);
    }
  builder->at++;
  return json_node_init_object (json_node_alloc (), object);
}

static JsonNode *
reeve_json_build_array (ReeveJsonBuilder *builder)
{
  g_autoptr (JsonArray) array = json_array_new ();

  builder->at++;
  reeve_json_skip_space (builder);
  while (*builder->at != ']')
    {
      json_array_add_element (array, reeve_json_build_value (builder));
      reeve_json_skip_space (builder);
      if (*builder->at == ',')
        builder->at++;
      reeve_json_skip_space (builder);
    }
  builder->at++;
  return json_node_init_array (json_node_alloc (), array);
}

/* recursion is bounded by the depth that the scan allows */
static JsonNode *
reeve_json_build_value (ReeveJsonBuilder *builder)
{
  gsize length = 0;

  reeve_json_skip_space (builder);
  switch (*builder->at)
    {
    case '{':
      return reeve_json_build_object (builder);
    case '[':
      return reeve_json_build_array (builder);
    case '"':
      return json_node_init_string (json_node_alloc (), reeve_json_build_text (builder, &length));
    case 't':
      builder->at += 4;
      return json_node_init_boolean (json_node_alloc (), TRUE);
    case 'f':
      builder->at += 5;
      return json_node_init_boolean (json_node_alloc (), FALSE);
    case 'n':
      builder->at += 4;
      return json_node_init_null (json_node_alloc ());
    default:
      return reeve_json_build_number (builder);
    }
}

/**
 * reeve_json_parse_strict:
 * @data: (array length=length) (element-type guint8): a text, not necessarily terminated
 * @length: its bytes
 * @error: return location
 *
 * Scans as reeve_json_scan() does and builds the tree. Integers within 64 bits are exact
 * (`G_TYPE_INT64`), every other number is a double. The result is sealed: threads may share it.
 *
 * Returns: (transfer full) (nullable): the value, or %NULL as reeve_json_scan() fails
 *
 * Since: 1.0
 */
JsonNode *
reeve_json_parse_strict (const char *data, gsize length, GError **error)
{
  g_return_val_if_fail (data != NULL || length == 0, NULL);

  if (!reeve_json_scan (data, length, error))
    return NULL;
  /* a number may be the last thing in a text that nothing terminates; behind a bracket or a quote
   * nothing is read */
  gboolean closed = data[length - 1] == '}' || data[length - 1] == ']' || data[length - 1] == '"';
  g_autofree char *copy = closed ? NULL : g_strndup (data, length);
  ReeveJsonBuilder builder;
  builder.at = closed ? data : copy;
  builder.end = builder.at + length;
  builder.scratch = NULL;
  JsonNode *node = reeve_json_build_value (&builder);
  if (builder.scratch != NULL)
    g_string_free (builder.scratch, TRUE);
  json_node_seal (node);
  return node;
}

static JsonNode *
reeve_json_get_member (JsonObject *object, const char *member, JsonNodeType type)
{
  JsonNode *node = object == NULL ? NULL : json_object_get_member (object, member);

  return node != NULL && json_node_get_node_type (node) == type ? node : NULL;
}

/**
 * reeve_json_get_string:
 * @object: (nullable): an object
 * @member: name of a member
 * @fallback: (nullable): what to return when it is absent or no string
 *
 * Returns: (transfer none) (nullable): the member's text, valid as long as @object; or @fallback
 *
 * Since: 1.0
 */
const char *
reeve_json_get_string (JsonObject *object, const char *member, const char *fallback)
{
  JsonNode *node = reeve_json_get_member (object, member, JSON_NODE_VALUE);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : fallback;
}

/**
 * reeve_json_get_int:
 * @object: (nullable): an object
 * @member: name of a member
 * @fallback: what to return when it is absent or no whole number of 64 bits
 *
 * Returns: the member's value (`5.0` is 5), or @fallback
 *
 * Since: 1.0
 */
gint64
reeve_json_get_int (JsonObject *object, const char *member, gint64 fallback)
{
  JsonNode *node = reeve_json_get_member (object, member, JSON_NODE_VALUE);

  if (node != NULL && json_node_get_value_type (node) == G_TYPE_INT64)
    return json_node_get_int (node);
  if (node == NULL || json_node_get_value_type (node) != G_TYPE_DOUBLE)
    return fallback;
  double value = json_node_get_double (node);
  /* 2^63 itself is outside; doubles are exact on both bounds */
  return value == floor (value) && value >= -0x1p63 && value < 0x1p63 ? (gint64) value : fallback;
}

/**
 * reeve_json_get_boolean:
 * @object: (nullable): an object
 * @member: name of a member
 * @fallback: what to return when it is absent or no boolean
 *
 * Returns: the member's value, or @fallback
 *
 * Since: 1.0
 */
gboolean
reeve_json_get_boolean (JsonObject *object, const char *member, gboolean fallback)
{
  JsonNode *node = reeve_json_get_member (object, member, JSON_NODE_VALUE);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN
             ? json_node_get_boolean (node)
             : fallback;
}

/**
 * reeve_json_get_object:
 * @object: (nullable): an object
 * @member: name of a member
 *
 * Returns: (transfer none) (nullable): the member, or %NULL when it is absent or no object
 *
 * Since: 1.0
 */
JsonObject *
reeve_json_get_object (JsonObject *object, const char *member)
{
  JsonNode *node = reeve_json_get_member (object, member, JSON_NODE_OBJECT);

  return node != NULL ? json_node_get_object (node) : NULL;
}

/**
 * reeve_json_get_array:
 * @object: (nullable): an object
 * @member: name of a member
 *
 * Returns: (transfer none) (nullable): the member, or %NULL when it is absent or no array
 *
 * Since: 1.0
 */
JsonArray *
reeve_json_get_array (JsonObject *object, const char *member)
{
  JsonNode *node = reeve_json_get_member (object, member, JSON_NODE_ARRAY);

  return node != NULL ? json_node_get_array (node) : NULL;
}
