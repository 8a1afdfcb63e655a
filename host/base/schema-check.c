/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Validation, as JSON Schema 2020-12 core and validation say. Where only a verdict is asked for,
 * inside anyOf, not and so on, faults are not collected and the first one ends it. Which members
 * and items were looked at is tracked only below a schema with an "unevaluated" keyword. Steps and
 * depth are bounded. */
#include "schema-check.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define REEVE_SCHEMA_CHECK_STEPS  2000000
#define REEVE_SCHEMA_CHECK_DEPTH  512
#define REEVE_SCHEMA_CHECK_FAULTS 32
/* what a match of a pattern costs in steps */
#define REEVE_SCHEMA_CHECK_PATTERN 50

/* ---- faults ---- */

static void
reeve_schema_check_append_place (GString *pointer, const ReeveSchemaPlace *place)
{
  if (place->parent == NULL)
    return;
  reeve_schema_check_append_place (pointer, place->parent);
  if (place->name == NULL)
    {
      g_string_append_printf (pointer, "/%u", place->index);
      return;
    }
  g_string_append_c (pointer, '/');
  for (const char *at = place->name; *at != '\0'; at++)
    if (*at == '~')
      g_string_append (pointer, "~0");
    else if (*at == '/')
      g_string_append (pointer, "~1");
    else
      g_string_append_c (pointer, *at);
}

gboolean
reeve_schema_check_fail (ReeveSchemaCheck *self, const ReeveSchemaPlace *place, const char *keyword,
                         const char *format, ...)
{
  va_list arguments;

  if (self->faults == NULL || self->faults->len >= REEVE_SCHEMA_CHECK_FAULTS)
    return FALSE;
  g_autoptr (GString) pointer = g_string_new (NULL);
  ReeveSchemaFault *fault = g_new0 (ReeveSchemaFault, 1);
  reeve_schema_check_append_place (pointer, place);
  va_start (arguments, format);
  fault->message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fault->pointer = g_string_free (g_steal_pointer (&pointer), FALSE);
  fault->keyword = g_strdup (keyword);
  g_ptr_array_add (self->faults, fault);
  return FALSE;
}

/* whether to look no further after a fault */
gboolean
reeve_schema_check_enough (ReeveSchemaCheck *self)
{
  return self->exhausted || self->faults == NULL || self->faults->len >= REEVE_SCHEMA_CHECK_FAULTS;
}

gboolean
reeve_schema_check_spend (ReeveSchemaCheck *self, gint64 steps)
{
  self->steps -= steps;
  if (self->steps < 0)
    self->exhausted = TRUE;
  return !self->exhausted;
}

/* the verdict alone; what was seen counts when it is good */
gboolean
reeve_schema_check_probe (ReeveSchemaCheck *self, const ReeveSchemaNode *node, JsonNode *value,
                          const ReeveSchemaPlace *place, ReeveSchemaSeen *seen)
{
  GPtrArray *faults = self->faults;
  ReeveSchemaSeen local = { 0 };

  self->faults = NULL;
  gboolean valid = reeve_schema_check_node (self, node, value, place, seen != NULL ? &local : NULL);
  self->faults = faults;
  if (valid)
    reeve_schema_seen_merge (seen, &local);
  reeve_schema_seen_clear (&local);
  return valid;
}

/* ---- any type ---- */

static guint
reeve_schema_check_types_of (JsonNode *value)
{
  switch (json_node_get_node_type (value))
    {
    case JSON_NODE_OBJECT:
      return REEVE_SCHEMA_TYPE_OBJECT;
    case JSON_NODE_ARRAY:
      return REEVE_SCHEMA_TYPE_ARRAY;
    case JSON_NODE_NULL:
      return REEVE_SCHEMA_TYPE_NULL;
    case JSON_NODE_VALUE:
    default:
      break;
    }
  switch (json_node_get_value_type (value))
    {
    case G_TYPE_STRING:
      return REEVE_SCHEMA_TYPE_STRING;
    case G_TYPE_BOOLEAN:
      return REEVE_SCHEMA_TYPE_BOOLEAN;
    case G_TYPE_INT64:
      return REEVE_SCHEMA_TYPE_INTEGER | REEVE_SCHEMA_TYPE_NUMBER;
    default:
      break;
    }
  double number = json_node_get_double (value);
  return REEVE_SCHEMA_TYPE_NUMBER
         | (isfinite (number) && number == floor (number) ? (guint) REEVE_SCHEMA_TYPE_INTEGER : 0);
}

static char *
reeve_schema_check_type_names (guint types)
{
  static const char *const names[]
      = { "null", "a boolean", "an integer", "a number", "a string", "an array", "an object" };
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if ((types & 1u << i) != 0)
      g_string_append_printf (text, "%s%s", text->len > 0 ? " or " : "", names[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
reeve_schema_check_general (ReeveSchemaCheck *self, const ReeveSchemaNode *node, JsonNode *value,
                            guint types, const ReeveSchemaPlace *place)
{
  if (node->never)
    return reeve_schema_check_fail (self, place, "false", "nothing is allowed here");
  if (node->types != 0 && (node->types & types) == 0)
    {
      g_autofree char *names = reeve_schema_check_type_names (node->types);
      return reeve_schema_check_fail (self, place, "type", "must be %s", names);
    }
  if (node->constant == NULL && node->enumeration == NULL)
    return TRUE;
  g_autofree char *text = reeve_json_canonical (value);
  if (!reeve_schema_check_spend (self, (gint64) (strlen (text) / 64)))
    return FALSE;
  if (node->constant != NULL && strcmp (text, node->constant) != 0)
    return reeve_schema_check_fail (self, place, "const", "must be %s", node->constant);
  if (node->enumeration != NULL && !g_strv_contains (node->enumeration, text))
    {
      g_autofree char *choice = g_strjoinv (", ", (char **) node->enumeration);
      return reeve_schema_check_fail (self, place, "enum", "must be one of %s", choice);
    }
  return TRUE;
}

/* ---- numbers ---- */

/* sign of value - bound, exact where both are integers */
static int
reeve_schema_check_compare (JsonNode *value, const ReeveSchemaNumber *bound)
{
  if (json_node_get_value_type (value) == G_TYPE_INT64 && bound->whole)
    {
      gint64 integer = json_node_get_int (value);
      return (integer > bound->integer) - (integer < bound->integer);
    }
  double number = json_node_get_double (value);
  return (number > bound->real) - (number < bound->real);
}

/* Decimal fractions are not exact in binary, so a remainder within the rounding of either number
 * counts as none. */
static gboolean
reeve_schema_check_is_multiple (JsonNode *value, const ReeveSchemaNumber *of)
{
  if (json_node_get_value_type (value) == G_TYPE_INT64 && of->whole)
    return json_node_get_int (value) % of->integer == 0;
  double number = json_node_get_double (value);
  double rest = fabs (remainder (number, of->real));
  double tolerance = MAX (of->real * 1e-9, fabs (number) * DBL_EPSILON);
  return rest == 0 || (tolerance < of->real / 4 && rest <= tolerance);
}

static gboolean
reeve_schema_check_number (ReeveSchemaCheck *self, const ReeveSchemaNumeric *numeric,
                           JsonNode *value, const ReeveSchemaPlace *place)
{
  const struct
  {
    const ReeveSchemaNumber *bound;
    const char *keyword;
    const char *words;
    int low, high; /* signs of the difference that are good */
  } bounds[] = {
    { &numeric->minimum, "minimum", "at least", 0, 1 },
    { &numeric->maximum, "maximum", "at most", -1, 0 },
    { &numeric->exclusive_minimum, "exclusiveMinimum", "greater than", 1, 1 },
    { &numeric->exclusive_maximum, "exclusiveMaximum", "less than", -1, -1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bounds); i++)
    {
      if (!bounds[i].bound->given)
        continue;
      int sign = reeve_schema_check_compare (value, bounds[i].bound);
      if (sign < bounds[i].low || sign > bounds[i].high)
        return reeve_schema_check_fail (self, place, bounds[i].keyword, "must be %s %.17g",
                                        bounds[i].words, bounds[i].bound->real);
    }
  if (numeric->multiple_of.given && !reeve_schema_check_is_multiple (value, &numeric->multiple_of))
    return reeve_schema_check_fail (self, place, "multipleOf", "must be a multiple of %.17g",
                                    numeric->multiple_of.real);
  return TRUE;
}

/* ---- strings ---- */

gboolean
reeve_schema_check_matches (ReeveSchemaCheck *self, const char *pattern, const char *text)
{
  GRegex *regex = reeve_schema_get_regex (self->schema, pattern, NULL);
  g_autoptr (GError) error = NULL;

  if (!reeve_schema_check_spend (self, REEVE_SCHEMA_CHECK_PATTERN
                                           + (gint64) (strlen (text) / REEVE_SCHEMA_CHECK_PATTERN)))
    return FALSE;
  /* patterns are checked when a schema is made; a static one was when it was generated */
  gboolean matches = regex != NULL && g_regex_match_full (regex, text, -1, 0, 0, NULL, &error);
  if (error != NULL)
    self->exhausted = TRUE;
  return matches;
}

static gboolean
reeve_schema_check_string (ReeveSchemaCheck *self, const ReeveSchemaString *string,
                           const char *text, const ReeveSchemaPlace *place)
{
  if (string->min_length.given || string->max_length.given)
    {
      guint64 length = (guint64) g_utf8_strlen (text, -1);
      if (string->min_length.given && length < string->min_length.value)
        return reeve_schema_check_fail (self, place, "minLength",
                                        "must have at least %" G_GUINT64_FORMAT " characters",
                                        string->min_length.value);
      if (string->max_length.given && length > string->max_length.value)
        return reeve_schema_check_fail (self, place, "maxLength",
                                        "must have at most %" G_GUINT64_FORMAT " characters",
                                        string->max_length.value);
    }
  if (string->pattern != NULL && !reeve_schema_check_matches (self, string->pattern, text))
    return reeve_schema_check_fail (self, place, "pattern", "must match %s", string->pattern);
  if (!reeve_schema_format_matches (string->format, text))
    return reeve_schema_check_fail (self, place, "format", "must be a %s",
                                    reeve_schema_format_get_name (string->format));
  return TRUE;
}

/* ---- containers ---- */

gboolean
reeve_schema_check_counts (ReeveSchemaCheck *self, const ReeveSchemaPlace *place, guint64 n,
                           const ReeveSchemaCount *low, const ReeveSchemaCount *high,
                           const char *const words[3])
{
  if (low->given && n < low->value)
    return reeve_schema_check_fail (
        self, place, words[0], "must have at least %" G_GUINT64_FORMAT " %s", low->value, words[2]);
  if (high->given && n > high->value)
    return reeve_schema_check_fail (
        self, place, words[1], "must have at most %" G_GUINT64_FORMAT " %s", high->value, words[2]);
  return TRUE;
}

/* ---- logic ---- */

/* how many of @nodes are valid; stops at @enough unless what they see must be known */
static guint
reeve_schema_check_count_valid (ReeveSchemaCheck *self, const ReeveSchemaNode *const *nodes,
                                JsonNode *value, const ReeveSchemaPlace *place,
                                ReeveSchemaSeen *seen, guint enough)
{
  guint n = 0;

  for (; *nodes != NULL && !self->exhausted && (n < enough || seen != NULL); nodes++)
    n += (guint) reeve_schema_check_probe (self, *nodes, value, place, seen);
  return n;
}

static gboolean
reeve_schema_check_logic (ReeveSchemaCheck *self, const ReeveSchemaLogic *logic, JsonNode *value,
                          const ReeveSchemaPlace *place, ReeveSchemaSeen *seen)
{
  const ReeveSchemaNode *const *all = logic->all_of;
  const ReeveSchemaNode *then = NULL;
  gboolean valid = TRUE;

  for (; all != NULL && *all != NULL && (valid || !reeve_schema_check_enough (self)); all++)
    valid &= reeve_schema_check_node (self, *all, value, place, seen);
  if (logic->any_of != NULL
      && reeve_schema_check_count_valid (self, logic->any_of, value, place, seen, 1) == 0)
    valid = reeve_schema_check_fail (self, place, "anyOf", "fits none of the forms allowed here");
  if (logic->one_of != NULL)
    {
      guint n = reeve_schema_check_count_valid (self, logic->one_of, value, place, seen, 2);
      if (n == 0)
        valid
            = reeve_schema_check_fail (self, place, "oneOf", "fits none of the forms allowed here");
      else if (n > 1)
        valid = reeve_schema_check_fail (self, place, "oneOf", "fits more than one of the forms");
    }
  if (logic->negated != NULL && reeve_schema_check_probe (self, logic->negated, value, place, NULL))
    valid = reeve_schema_check_fail (self, place, "not", "has a form that is not allowed here");
  if (logic->condition != NULL)
    {
      gboolean holds = reeve_schema_check_probe (self, logic->condition, value, place, seen);
      then = holds ? logic->consequence : logic->alternative;
    }
  if (then != NULL && (valid || !reeve_schema_check_enough (self)))
    valid &= reeve_schema_check_node (self, then, value, place, seen);
  return valid;
}

/* ---- a schema ---- */

static gboolean
reeve_schema_check_by_type (ReeveSchemaCheck *self, const ReeveSchemaNode *node, JsonNode *value,
                            guint types, const ReeveSchemaPlace *place, ReeveSchemaSeen *seen)
{
  if (node->numeric != NULL && (types & REEVE_SCHEMA_TYPE_NUMBER) != 0)
    return reeve_schema_check_number (self, node->numeric, value, place);
  if (node->string != NULL && (types & REEVE_SCHEMA_TYPE_STRING) != 0)
    return reeve_schema_check_string (self, node->string, json_node_get_string (value), place);
  if (node->array != NULL && (types & REEVE_SCHEMA_TYPE_ARRAY) != 0)
    return reeve_schema_items_check (self, node->array, json_node_get_array (value), place, seen);
  if (node->object != NULL && (types & REEVE_SCHEMA_TYPE_OBJECT) != 0)
    return reeve_schema_members_check (self, node->object, value, place, seen);
  return TRUE;
}

static gboolean
reeve_schema_check_unevaluated (ReeveSchemaCheck *self, const ReeveSchemaNode *node,
                                JsonNode *value, guint types, const ReeveSchemaPlace *place,
                                ReeveSchemaSeen *seen)
{
  if (node->array != NULL && node->array->unevaluated_items != NULL
      && (types & REEVE_SCHEMA_TYPE_ARRAY) != 0)
    return reeve_schema_items_check_rest (self, node->array->unevaluated_items,
                                          json_node_get_array (value), place, seen);
  if (node->object != NULL && node->object->unevaluated_properties != NULL
      && (types & REEVE_SCHEMA_TYPE_OBJECT) != 0)
    return reeve_schema_members_check_rest (self, node->object->unevaluated_properties,
                                            json_node_get_object (value), place, seen);
  return TRUE;
}

static gboolean
reeve_schema_check_parts (ReeveSchemaCheck *self, const ReeveSchemaNode *node, JsonNode *value,
                          const ReeveSchemaPlace *place, ReeveSchemaSeen *seen)
{
  guint types = reeve_schema_check_types_of (value);

  if (!reeve_schema_check_general (self, node, value, types, place))
    return FALSE;
  gboolean valid = reeve_schema_check_by_type (self, node, value, types, place, seen);
  if (node->ref != NULL && (valid || !reeve_schema_check_enough (self)))
    valid &= reeve_schema_check_node (self, node->ref, value, place, seen);
  if (node->logic != NULL && (valid || !reeve_schema_check_enough (self)))
    valid &= reeve_schema_check_logic (self, node->logic, value, place, seen);
  return valid && reeve_schema_check_unevaluated (self, node, value, types, place, seen);
}

gboolean
reeve_schema_check_node (ReeveSchemaCheck *self, const ReeveSchemaNode *node, JsonNode *value,
                         const ReeveSchemaPlace *place, ReeveSchemaSeen *seen)
{
  gboolean tracks = (node->array != NULL && node->array->unevaluated_items != NULL)
                    || (node->object != NULL && node->object->unevaluated_properties != NULL);
  ReeveSchemaSeen own = { 0 };

  if (self->depth == REEVE_SCHEMA_CHECK_DEPTH)
    self->exhausted = TRUE;
  if (!reeve_schema_check_spend (self, 1))
    return FALSE;
  self->depth++;
  /* an "unevaluated" keyword sees what its own schema saw, not what the neighbours did */
  gboolean valid = reeve_schema_check_parts (self, node, value, place, tracks ? &own : seen);
  self->depth--;
  if (tracks)
    {
      reeve_schema_seen_merge (seen, &own);
      reeve_schema_seen_clear (&own);
    }
  return valid && !self->exhausted;
}

/*
 * reeve_schema_check_run:
 * @schema: a schema
 * @instance: a value
 * @faults: receives ReeveSchemaFault
 * @error: return location, set only when the work has no end
 *
 * Returns: whether @instance is valid
 */
gboolean
reeve_schema_check_run (ReeveSchema *schema, JsonNode *instance, GPtrArray *faults, GError **error)
{
  ReeveSchemaCheck self = { schema, faults, REEVE_SCHEMA_CHECK_STEPS, 0, FALSE };
  const ReeveSchemaPlace top = { NULL, NULL, 0 };
  gboolean valid
      = reeve_schema_check_node (&self, reeve_schema_get_root (schema), instance, &top, NULL);

  if (!self.exhausted)
    return valid;
  g_ptr_array_set_size (faults, 0);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                       "it takes too much work to check this value");
  return FALSE;
}
