/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is declared in a scope after so many migrations: looked up in the migrations themselves,
 * there are few. */
#include "memory-schema.h"

#include <string.h>

/**
 * memory_schema_count:
 * @migrations: migrations, ended by number 0
 *
 * Returns: how many there are
 */
guint
memory_schema_count (const ReeveMigration *migrations)
{
  guint n = 0;

  while (migrations[n].number != 0)
    n++;
  return n;
}

static gboolean
memory_schema_contains (const ReeveMigration *migrations, guint number, const ReeveStep *end,
                        ReeveStepKind kind, const char *name)
{
  for (guint i = 0; i < number; i++)
    for (const ReeveStep *step = migrations[i].steps; step->name != NULL && step != end; step++)
      if (step->kind == kind && strcmp (step->name, name) == 0)
        return TRUE;
  return FALSE;
}

/**
 * memory_schema_has:
 * @migrations: checked migrations
 * @number: how many of them stand
 * @kind: %REEVE_STEP_COLLECTION or %REEVE_STEP_TEXT
 * @name: of it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT when it is not declared
 */
gboolean
memory_schema_has (const ReeveMigration *migrations, guint number, ReeveStepKind kind,
                   const char *name, GError **error)
{
  if (memory_schema_contains (migrations, number, NULL, kind, name))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s %s is not declared",
               kind == REEVE_STEP_TEXT ? "text index" : "collection", name);
  return FALSE;
}

static const ReeveField *
memory_schema_find_in_step (const ReeveStep *step, const char *collection, const char *name)
{
  if ((step->kind != REEVE_STEP_COLLECTION && step->kind != REEVE_STEP_FIELD)
      || strcmp (step->name, collection) != 0)
    return NULL;
  for (const ReeveField *field = step->fields; field->name != NULL; field++)
    if (strcmp (field->name, name) == 0)
      return field;
  return NULL;
}

static const ReeveField *
memory_schema_lookup (const ReeveMigration *migrations, guint number, const ReeveStep *end,
                      const char *collection, const char *name)
{
  for (guint i = 0; i < number; i++)
    for (const ReeveStep *step = migrations[i].steps; step->name != NULL && step != end; step++)
      {
        const ReeveField *field = memory_schema_find_in_step (step, collection, name);

        if (field != NULL)
          return field;
      }
  return NULL;
}

/**
 * memory_schema_find_field:
 * @migrations: checked migrations
 * @number: how many of them stand
 * @collection: a declared collection
 * @name: of a field, or `@id`
 * @type: (out): its type
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT when it is not declared
 */
gboolean
memory_schema_find_field (const ReeveMigration *migrations, guint number, const char *collection,
                          const char *name, ReeveFieldType *type, GError **error)
{
  const ReeveField *field = NULL;

  *type = REEVE_FIELD_TEXT;
  if (strcmp (name, "@id") == 0)
    return TRUE;
  field = memory_schema_lookup (migrations, number, NULL, collection, name);
  if (field != NULL)
    {
      *type = field->type;
      return TRUE;
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "field %s of %s is not declared",
               name, collection);
  return FALSE;
}

/**
 * memory_schema_accepts:
 * @type: of a field
 * @value: a value
 *
 * Returns: whether the value is of that type
 */
gboolean
memory_schema_accepts (ReeveFieldType type, JsonNode *value)
{
  GType got = JSON_NODE_HOLDS_VALUE (value) ? json_node_get_value_type (value) : G_TYPE_INVALID;

  switch (type)
    {
    case REEVE_FIELD_TEXT:
      return got == G_TYPE_STRING;
    case REEVE_FIELD_INT:
      return got == G_TYPE_INT64;
    case REEVE_FIELD_REAL:
      return got == G_TYPE_INT64 || got == G_TYPE_DOUBLE;
    case REEVE_FIELD_BOOLEAN:
    default:
      return got == G_TYPE_BOOLEAN;
    }
}

static gboolean
memory_schema_check_members (const ReeveStep *step, JsonObject *record, GError **error)
{
  for (const ReeveField *field = step->fields; field->name != NULL; field++)
    {
      JsonNode *value = json_object_get_member (record, field->name);

      if (value == NULL || JSON_NODE_HOLDS_NULL (value)
          || memory_schema_accepts (field->type, value))
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "member %s has another type than declared", field->name);
      return FALSE;
    }
  return TRUE;
}

/**
 * memory_schema_check_record:
 * @migrations: checked migrations
 * @number: how many of them stand
 * @collection: a declared collection
 * @record: a record for it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT where a declared member has another type
 */
gboolean
memory_schema_check_record (const ReeveMigration *migrations, guint number, const char *collection,
                            JsonObject *record, GError **error)
{
  for (guint i = 0; i < number; i++)
    for (const ReeveStep *step = migrations[i].steps; step->name != NULL; step++)
      if ((step->kind == REEVE_STEP_COLLECTION || step->kind == REEVE_STEP_FIELD)
          && strcmp (step->name, collection) == 0
          && !memory_schema_check_members (step, record, error))
        return FALSE;
  return TRUE;
}

static gboolean
memory_schema_name_is_good (const char *name)
{
  gsize length = strlen (name);

  return length > 0 && length <= 48 && g_ascii_islower (name[0])
         && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static const char *
memory_schema_check_fields (const ReeveMigration *migrations, guint number, const ReeveStep *step)
{
  for (const ReeveField *field = step->fields; field->name != NULL; field++)
    {
      gboolean known
          = memory_schema_lookup (migrations, number, step, step->name, field->name) != NULL;

      if (!memory_schema_name_is_good (field->name) || (guint) field->type > REEVE_FIELD_BOOLEAN)
        return "has a field with a bad name or type";
      if (known != (step->kind == REEVE_STEP_INDEX))
        return known ? "declares a field twice" : "indexes a field that is not declared";
    }
  return NULL;
}

static const char *
memory_schema_check_step (const ReeveMigration *migrations, guint number, const ReeveStep *step)
{
  gboolean known = FALSE;

  if (!memory_schema_name_is_good (step->name))
    return "has a bad name";
  if (step->kind == REEVE_STEP_TEXT)
    return memory_schema_contains (migrations, number, step, REEVE_STEP_TEXT, step->name)
               ? "is declared twice"
               : NULL;
  if ((guint) step->kind > REEVE_STEP_TEXT)
    return "is no known step";
  if (step->fields == NULL)
    return "has no list of fields";
  known = memory_schema_contains (migrations, number, step, REEVE_STEP_COLLECTION, step->name);
  if (known == (step->kind == REEVE_STEP_COLLECTION))
    return known ? "is declared twice" : "is not declared";
  return memory_schema_check_fields (migrations, number, step);
}

/**
 * memory_schema_check:
 * @migrations: migrations, ended by number 0
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
memory_schema_check (const ReeveMigration *migrations, GError **error)
{
  for (guint i = 0; migrations[i].number != 0; i++)
    {
      if (migrations[i].number != i + 1 || migrations[i].steps == NULL
          || migrations[i].summary == NULL)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "migration %u: out of order, or without summary or steps", i + 1);
          return FALSE;
        }
      for (const ReeveStep *step = migrations[i].steps; step->name != NULL; step++)
        {
          const char *fault = memory_schema_check_step (migrations, i + 1, step);

          if (fault != NULL)
            {
              g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "migration %u: %s %s",
                           i + 1, step->name, fault);
              return FALSE;
            }
        }
    }
  return TRUE;
}
