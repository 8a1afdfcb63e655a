/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Declared collections as tables. A schema is what a scope looks like after so many migrations,
 * with the text of every statement that its operations use; it is computed from the migrations
 * alone and never changes. Names come from the host's source, but are checked all the same, since
 * they stand in statements. */
#include "sqlite-schema.h"

#include <string.h>

#define SCHEMA_MAX_NAME   48
#define SCHEMA_MAX_FIELDS 32
#define SCHEMA_MAX_INDEX  4

struct _SqliteSchema
{
  guint number;
  GHashTable *collections;
  GHashTable *texts;
};

static void
sqlite_schema_field_free (SqliteField *field)
{
  g_free (field->name);
  g_free (field->column);
  g_free (field);
}

static void
sqlite_schema_collection_free (SqliteCollection *collection)
{
  g_free (collection->name);
  g_ptr_array_unref (collection->fields);
  g_free (collection->select);
  g_free (collection->revision);
  g_free (collection->insert);
  g_free (collection->upsert);
  g_free (collection->update);
  g_free (collection->delete);
  g_free (collection);
}

static void
sqlite_schema_text_free (SqliteTextIndex *text)
{
  g_free (text->name);
  g_free (text->put);
  g_free (text->delete);
  g_free (text->search);
  g_free (text->search_in);
  g_free (text->count_in);
  g_free (text->look_up);
  g_free (text->count);
  g_free (text->frequency);
  g_free (text);
}

static gboolean
sqlite_schema_name_is_good (const char *name)
{
  gsize length = strlen (name);

  return length > 0 && length <= SCHEMA_MAX_NAME && g_ascii_islower (name[0])
         && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static void
sqlite_schema_add_fields (SqliteCollection *collection, const ReeveField *fields)
{
  for (const ReeveField *field = fields; field != NULL && field->name != NULL; field++)
    {
      SqliteField *copy = g_new0 (SqliteField, 1);

      copy->name = g_strdup (field->name);
      copy->column = g_strdup_printf ("\"f_%s\"", field->name);
      copy->type = field->type;
      g_ptr_array_add (collection->fields, copy);
    }
}

static void
sqlite_schema_write_statements (SqliteCollection *collection)
{
  g_autoptr (GString) columns = g_string_new (NULL);
  g_autoptr (GString) values = g_string_new (NULL);
  g_autoptr (GString) sets = g_string_new (NULL);
  const char *name = collection->name;

  for (guint i = 0; i < collection->fields->len; i++)
    {
      const SqliteField *field = g_ptr_array_index (collection->fields, i);

      g_string_append_printf (columns, ", %s", field->column);
      g_string_append_printf (values, ", ?%u", i + 3);
      g_string_append_printf (sets, ", %s = ?%u", field->column, i + 3);
    }
  collection->select = g_strdup_printf ("SELECT revision, body FROM \"c_%s\" WHERE id = ?1", name);
  collection->revision = g_strdup_printf ("SELECT revision FROM \"c_%s\" WHERE id = ?1", name);
  collection->insert = g_strdup_printf ("INSERT INTO \"c_%s\" (id, revision, body%s) "
                                        "VALUES (?1, 1, ?2%s) ON CONFLICT DO NOTHING",
                                        name, columns->str, values->str);
  collection->upsert
      = g_strdup_printf ("INSERT INTO \"c_%s\" (id, revision, body%s) VALUES (?1, 1, ?2%s) "
                         "ON CONFLICT (id) DO UPDATE SET revision = revision + 1, body = ?2%s "
                         "RETURNING revision",
                         name, columns->str, values->str, sets->str);
  collection->update = g_strdup_printf ("UPDATE \"c_%s\" SET revision = revision + 1, body = ?2%s "
                                        "WHERE id = ?1 AND revision = ?%u",
                                        name, sets->str, collection->fields->len + 3);
  collection->delete = g_strdup_printf ("DELETE FROM \"c_%s\" WHERE id = ?1", name);
}

static SqliteTextIndex *
sqlite_schema_new_text (const char *name)
{
  SqliteTextIndex *text = g_new0 (SqliteTextIndex, 1);

  text->name = g_strdup (name);
  text->put = g_strdup_printf (
      "INSERT INTO \"t_%s_rows\" (grp, key, title, text, data) VALUES (?1, ?2, ?3, ?4, ?5) "
      "ON CONFLICT (grp, key) DO UPDATE SET title = ?3, text = ?4, data = ?5",
      name);
  text->delete = g_strdup_printf ("DELETE FROM \"t_%s_rows\" WHERE grp = ?1", name);
  /* the index sorts and cuts first, only what is left is looked up; + keeps the planner from
   * asking the index once for each row of a group */
  text->search = g_strdup_printf (
      "SELECT r.grp, r.key, r.text, r.data, -m.score FROM (SELECT rowid AS row, rank AS score "
      "FROM \"t_%s\" WHERE \"t_%s\" MATCH ?1 AND rank MATCH ?3 "
      "ORDER BY rank LIMIT ?2) m JOIN \"t_%s_rows\" r ON r.row = m.row ORDER BY m.score, r.row",
      name, name, name);
  text->search_in = g_strdup_printf (
      "SELECT rowid, reeve_counts (\"t_%s\", 3.0, 1.0) FROM \"t_%s\" WHERE \"t_%s\" MATCH ?1 "
      "AND +rowid IN (SELECT row FROM \"t_%s_rows\" WHERE grp IN (SELECT value FROM json_each "
      "(?2)))",
      name, name, name, name);
  text->count_in = g_strdup_printf (
      "SELECT count(*) FROM \"t_%s_rows\" WHERE grp IN (SELECT value FROM json_each (?1))", name);
  text->look_up
      = g_strdup_printf ("SELECT grp, key, text, data FROM \"t_%s_rows\" WHERE row = ?1", name);
  text->count = g_strdup_printf ("SELECT value FROM meta WHERE name = 'text:%s'", name);
  text->frequency = g_strdup_printf ("SELECT doc FROM \"t_%s_terms\" WHERE term = ?1", name);
  return text;
}

static void
sqlite_schema_add_step (SqliteSchema *self, const ReeveStep *step)
{
  SqliteCollection *collection = g_hash_table_lookup (self->collections, step->name);
  SqliteTextIndex *text = NULL;

  switch (step->kind)
    {
    case REEVE_STEP_COLLECTION:
      collection = g_new0 (SqliteCollection, 1);
      collection->name = g_strdup (step->name);
      collection->fields
          = g_ptr_array_new_with_free_func ((GDestroyNotify) sqlite_schema_field_free);
      g_hash_table_insert (self->collections, collection->name, collection);
      sqlite_schema_add_fields (collection, step->fields);
      break;
    case REEVE_STEP_FIELD:
      sqlite_schema_add_fields (collection, step->fields);
      break;
    case REEVE_STEP_TEXT:
      text = sqlite_schema_new_text (step->name);
      g_hash_table_insert (self->texts, text->name, text);
      break;
    case REEVE_STEP_INDEX:
    default:
      break;
    }
}

/**
 * sqlite_schema_new:
 * @migrations: checked migrations, ended by number 0
 * @number: how many of them
 *
 * Returns: (transfer full): what a scope looks like after them
 */
SqliteSchema *
sqlite_schema_new (const ReeveMigration *migrations, guint number)
{
  SqliteSchema *self = g_new0 (SqliteSchema, 1);
  GHashTableIter iter = { 0 };
  gpointer collection = NULL;

  self->number = number;
  self->collections = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                             (GDestroyNotify) sqlite_schema_collection_free);
  self->texts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                       (GDestroyNotify) sqlite_schema_text_free);
  for (guint i = 0; i < number; i++)
    for (const ReeveStep *step = migrations[i].steps; step->name != NULL; step++)
      sqlite_schema_add_step (self, step);
  g_hash_table_iter_init (&iter, self->collections);
  while (g_hash_table_iter_next (&iter, NULL, &collection))
    sqlite_schema_write_statements (collection);
  return self;
}

/**
 * sqlite_schema_free:
 * @self: (transfer full): a schema
 *
 * Frees it.
 */
void
sqlite_schema_free (SqliteSchema *self)
{
  g_hash_table_unref (self->collections);
  g_hash_table_unref (self->texts);
  g_free (self);
}

/**
 * sqlite_schema_get_number:
 * @self: a schema
 *
 * Returns: number of its last migration
 */
guint
sqlite_schema_get_number (SqliteSchema *self)
{
  return self->number;
}

/**
 * sqlite_schema_find_collection:
 * @self: a schema
 * @name: of a collection
 * @error: return location
 *
 * Returns: (transfer none): it; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
const SqliteCollection *
sqlite_schema_find_collection (SqliteSchema *self, const char *name, GError **error)
{
  const SqliteCollection *collection = g_hash_table_lookup (self->collections, name);

  if (collection == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "collection %s is not declared",
                 name);
  return collection;
}

/**
 * sqlite_schema_find_text:
 * @self: a schema
 * @name: of a text index
 * @error: return location
 *
 * Returns: (transfer none): it; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
const SqliteTextIndex *
sqlite_schema_find_text (SqliteSchema *self, const char *name, GError **error)
{
  const SqliteTextIndex *text = g_hash_table_lookup (self->texts, name);

  if (text == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "text index %s is not declared",
                 name);
  return text;
}

/**
 * sqlite_schema_find_field:
 * @collection: a collection
 * @name: of a field
 *
 * Returns: (transfer none) (nullable): it
 */
const SqliteField *
sqlite_schema_find_field (const SqliteCollection *collection, const char *name)
{
  for (guint i = 0; i < collection->fields->len; i++)
    {
      const SqliteField *field = g_ptr_array_index (collection->fields, i);

      if (strcmp (field->name, name) == 0)
        return field;
    }
  return NULL;
}

static const char *
sqlite_schema_check_fields (const SqliteCollection *collection, const ReeveStep *step)
{
  guint n = 0;

  if (step->fields == NULL)
    return "has no list of fields";
  for (const ReeveField *field = step->fields; field->name != NULL; field++, n++)
    {
      if (!sqlite_schema_name_is_good (field->name) || (guint) field->type > REEVE_FIELD_BOOLEAN)
        return "has a field with a bad name or type";
      if ((sqlite_schema_find_field (collection, field->name) != NULL)
          != (step->kind == REEVE_STEP_INDEX))
        return step->kind == REEVE_STEP_INDEX ? "indexes a field that is not declared"
                                              : "declares a field twice";
    }
  if (step->kind == REEVE_STEP_INDEX && (n < 1 || n > SCHEMA_MAX_INDEX))
    return "indexes no field or too many";
  if (step->kind != REEVE_STEP_INDEX && collection->fields->len + n > SCHEMA_MAX_FIELDS)
    return "has too many fields";
  return NULL;
}

static const char *
sqlite_schema_check_step (SqliteSchema *before, const ReeveStep *step)
{
  const SqliteCollection *collection = g_hash_table_lookup (before->collections, step->name);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  const SqliteCollection empty = { .fields = none };

  if (!sqlite_schema_name_is_good (step->name))
    return "has a bad name";
  switch (step->kind)
    {
    case REEVE_STEP_COLLECTION:
      return collection != NULL ? "is declared twice" : sqlite_schema_check_fields (&empty, step);
    case REEVE_STEP_FIELD:
    case REEVE_STEP_INDEX:
      return collection == NULL ? "is not declared" : sqlite_schema_check_fields (collection, step);
    case REEVE_STEP_TEXT:
      return g_hash_table_contains (before->texts, step->name) ? "is declared twice" : NULL;
    default:
      return "is no known step";
    }
}

/**
 * sqlite_schema_check:
 * @migrations: migrations, ended by number 0
 * @error: return location
 *
 * Checks numbers, names, and each step against what the steps before it made.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
sqlite_schema_check (const ReeveMigration *migrations, GError **error)
{
  g_autoptr (SqliteSchema) self = sqlite_schema_new (migrations, 0);

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
          const char *fault = sqlite_schema_check_step (self, step);

          if (fault != NULL)
            {
              g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "migration %u: %s %s",
                           i + 1, step->name, fault);
              return FALSE;
            }
          sqlite_schema_add_step (self, step);
        }
    }
  return TRUE;
}
