/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A schema ready for use: its compiled form, made here or emitted at build time, and the patterns
 * that were needed so far. Threads share it; only the table of patterns changes, under its lock. */
#include "schema-internal.h"

struct _ReeveSchema
{
  gatomicrefcount refs;
  const ReeveSchemaNode *root;
  JsonNode *source;  /* NULL for a static one; names in nodes point into it */
  GPtrArray *memory; /* what was compiled here */
  GMutex lock;
  GHashTable *regexes; /* pattern -> GRegex */
};

static ReeveSchema *
reeve_schema_new (void)
{
  ReeveSchema *self = g_new0 (ReeveSchema, 1);

  g_atomic_ref_count_init (&self->refs);
  self->memory = g_ptr_array_new_with_free_func (g_free);
  g_mutex_init (&self->lock);
  self->regexes
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_regex_unref);
  return self;
}

/**
 * reeve_schema_new_from_json:
 * @schema: a JSON Schema, draft 2020-12; only references within itself
 * @error: return location
 *
 * Compiles a schema. A keyword that 2020-12 does not know is an annotation and ignored; a known one
 * with a wrong value, a pattern that is none and a reference to nowhere are errors.
 *
 * Returns: (transfer full) (nullable): the schema, or %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
ReeveSchema *
reeve_schema_new_from_json (JsonNode *schema, GError **error)
{
  g_autoptr (ReeveSchema) self = reeve_schema_new ();

  self->source = json_node_ref (schema);
  self->root = reeve_schema_compile_run (self->source, self->memory, error);
  if (self->root == NULL)
    {
      g_prefix_error (error, "schema: ");
      return NULL;
    }
  return g_steal_pointer (&self);
}

/**
 * reeve_schema_new_from_static:
 * @root: a compiled schema that outlives the result
 *
 * Returns: (transfer full): the schema
 */
ReeveSchema *
reeve_schema_new_from_static (const ReeveSchemaNode *root)
{
  ReeveSchema *self = reeve_schema_new ();

  self->root = root;
  return self;
}

/**
 * reeve_schema_ref:
 * @self: a schema
 *
 * Returns: (transfer full): @self
 */
ReeveSchema *
reeve_schema_ref (ReeveSchema *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_schema_unref:
 * @self: (transfer full): a schema
 */
void
reeve_schema_unref (ReeveSchema *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_hash_table_unref (self->regexes);
  g_mutex_clear (&self->lock);
  g_ptr_array_unref (self->memory);
  g_clear_pointer (&self->source, json_node_unref);
  g_free (self);
}

/**
 * reeve_schema_get_root:
 * @self: a schema
 *
 * Returns: (transfer none): its compiled form
 */
const ReeveSchemaNode *
reeve_schema_get_root (ReeveSchema *self)
{
  return self->root;
}

/*
 * reeve_schema_get_regex:
 *
 * Returns: (transfer none) (nullable): @pattern compiled, once
 */
GRegex *
reeve_schema_get_regex (ReeveSchema *self, const char *pattern, GError **error)
{
  g_mutex_lock (&self->lock);
  GRegex *regex = g_hash_table_lookup (self->regexes, pattern);
  if (regex == NULL)
    {
      regex = reeve_schema_pattern_compile (pattern, error);
      if (regex != NULL)
        g_hash_table_insert (self->regexes, g_strdup (pattern), regex);
    }
  g_mutex_unlock (&self->lock);
  return regex;
}

/**
 * reeve_schema_fault_free:
 * @fault: (transfer full): a fault
 */
void
reeve_schema_fault_free (ReeveSchemaFault *fault)
{
  g_free (fault->pointer);
  g_free (fault->message);
  g_free (fault->keyword);
  g_free (fault);
}

/**
 * reeve_schema_validate:
 * @self: a schema
 * @instance: a value
 * @faults: (out) (optional) (nullable) (transfer full) (element-type ReeveSchemaFault): what is
 * wrong, at most 32 faults; %NULL when nothing is
 * @error: return location
 *
 * Says whether @instance is valid. Work is bounded, however a schema and an instance play together.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT when it is not, whose text tells the first
 * fault; with %REEVE_ERROR_TOO_LARGE when it takes too much work to tell
 */
gboolean
reeve_schema_validate (ReeveSchema *self, JsonNode *instance, GPtrArray **faults, GError **error)
{
  g_autoptr (GPtrArray) found
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_schema_fault_free);

  if (faults != NULL)
    *faults = NULL;
  gboolean valid = reeve_schema_check_run (self, instance, found, error);
  if (valid || found->len == 0)
    return valid;
  const ReeveSchemaFault *first = found->pdata[0];
  const char *pointer = *first->pointer == '\0' ? "the value" : first->pointer;
  if (found->len > 1)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s: %s (and %u more faults)",
                 pointer, first->message, found->len - 1);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s: %s", pointer,
                 first->message);
  if (faults != NULL)
    *faults = g_steal_pointer (&found);
  return FALSE;
}
