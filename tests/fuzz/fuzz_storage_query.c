/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as cursor, search words, query or batch: the embedded storage and the one in memory,
 * which share no code, must say the same. */
/* covers: plugins/storage-sqlite/sqlite-text.c
 * plugins/storage-sqlite/sqlite-query.c
 * plugins/storage-sqlite/sqlite-cursor.c
 * plugins/storage-memory/memory-text.c */
#include "memory-storage.h"
#include "sqlite-storage.h"
#include "../helpers/test-tree.h"

#include <glib/gstdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS 40

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const ReeveStep steps[] = {
  { REEVE_STEP_COLLECTION, "things",
    (const ReeveField[]){ { "name", REEVE_FIELD_TEXT },
                          { "size", REEVE_FIELD_INT },
                          { "weight", REEVE_FIELD_REAL },
                          { "live", REEVE_FIELD_BOOLEAN },
                          { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_TEXT, "notes", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveMigration migrations[] = { { 1, "things", steps }, { 0, NULL, NULL } };
static const char *const fields[] = { "@id", "name", "size", "weight", "live", "undeclared" };
static const char *const words[] = { "", "a", "ab", "b", "\xc3\xa9", "pump" };

/* [0] embedded, [1] in memory */
static ReeveStorage *storages[2];
static char *folder;

typedef struct
{
  const uint8_t *at;
  size_t left;
} Input;

static guint
take (Input *input, guint below)
{
  guint value = 0;

  if (input->left == 0)
    return 0;
  value = *input->at % below;
  input->at++;
  input->left--;
  return value;
}

static void
clean_up (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (storages); i++)
    {
      reeve_storage_close (storages[i]);
      g_clear_object (&storages[i]);
    }
  test_tree_remove (folder);
  g_clear_pointer (&folder, g_free);
}

static void
fill (ReeveStorage *storage)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);

  for (guint i = 0; i < RECORDS; i++)
    {
      g_autoptr (JsonObject) object = json_object_new ();
      g_autofree char *id = g_strdup_printf ("%s%u", words[i % G_N_ELEMENTS (words)], i % 17);

      if (i % 5 != 0)
        json_object_set_string_member (object, "name", words[i * 7 % G_N_ELEMENTS (words)]);
      if (i % 3 != 0)
        json_object_set_int_member (object, "size", (gint64) i * 3 % 11 - 5);
      if (i % 4 != 0)
        json_object_set_double_member (object, "weight", (double) (i % 6) / 4 - 0.5);
      if (i % 7 != 0)
        json_object_set_boolean_member (object, "live", i % 2);
      reeve_batch_put (batch, "things", id, object, REEVE_REVISION_ANY);
      reeve_batch_text_put (batch, "notes", words[1 + i % 3], id, NULL, "pump \xc3\xa9 a1", NULL);
    }
  reeve_batch_append (batch, "s", bytes, 1);
  reeve_batch_push (batch, "q", "i", bytes, 5);
  reeve_batch_count (batch, "c", 5, 0, 10);
  result = reeve_storage_commit (storage, batch, NULL);
  if (result == NULL)
    abort ();
}

static void
set_up (void)
{
  folder = g_dir_make_tmp ("reeve-fuzz-XXXXXX", NULL);
  storages[0] = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  storages[1] = g_object_new (MEMORY_TYPE_STORAGE, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (storages); i++)
    {
      if (!reeve_storage_open (storages[i], folder, migrations, migrations, NULL)
          || !reeve_storage_create_scope (storages[i], "acme", NULL))
        abort ();
      fill (storages[i]);
    }
  atexit (clean_up);
}

static JsonNode *
make_scalar (Input *input)
{
  JsonNode *node = json_node_alloc ();

  switch (take (input, 4))
    {
    case 0:
      return json_node_init_string (node, words[take (input, G_N_ELEMENTS (words))]);
    case 1:
      return json_node_init_int (node, (gint64) take (input, 16) - 8);
    case 2:
      return json_node_init_double (node, (double) take (input, 16) / 4 - 1);
    default:
      return json_node_init_boolean (node, take (input, 2) != 0);
    }
}

static JsonNode *
make_value (Input *input, ReeveFilterOp op)
{
  JsonNode *node = NULL;
  JsonArray *array = NULL;
  guint n = 0;

  if (op != REEVE_FILTER_IN)
    return make_scalar (input);
  node = json_node_new (JSON_NODE_ARRAY);
  array = json_array_new ();
  n = take (input, 4);
  for (guint i = 0; i < n; i++)
    json_array_add_element (array, make_scalar (input));
  json_node_take_array (node, array);
  return node;
}

static const char *
take_field (Input *input)
{
  return fields[take (input, G_N_ELEMENTS (fields))];
}

static ReeveQuery *
make_query (Input *input)
{
  static const char *const names[] = { "x", "y" };
  ReeveQuery *query = reeve_query_new ("acme", "things");
  guint n = take (input, 4);

  reeve_query_limit (query, take (input, 12));
  for (guint i = 0; i < n; i++)
    {
      const char *field = take_field (input);
      ReeveFilterOp op = (ReeveFilterOp) take (input, REEVE_FILTER_IN + 1);
      g_autoptr (JsonNode) value = make_value (input, op);

      reeve_query_filter (query, field, op, value);
    }
  if (take (input, 2) != 0)
    {
      const char *field = take_field (input);

      reeve_query_order (query, field, take (input, 2) != 0);
      return query;
    }
  for (n = take (input, 3); n > 0; n--)
    {
      ReeveAggregateKind kind = (ReeveAggregateKind) take (input, REEVE_AGGREGATE_MAX + 1);
      const char *field = kind == REEVE_AGGREGATE_COUNT ? NULL : take_field (input);

      reeve_query_aggregate (query, kind, field, names[n - 1]);
    }
  for (n = take (input, 3); n > 0; n--)
    reeve_query_group_by (query, take_field (input));
  if (take (input, 4) == 0)
    reeve_query_bucket (query, "size", take (input, 5));
  return query;
}

/* one page as text, and its cursor */
static char *
describe (ReeveStorage *storage, ReeveQuery *query, char **cursor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveQueryResult) result = reeve_storage_query (storage, query, NULL, &error);
  g_autoptr (GString) text = g_string_new (NULL);
  GPtrArray *list = NULL;

  if (result == NULL)
    return g_strdup_printf ("error %d", error->code);
  list = reeve_query_result_get_records (result);
  for (guint i = 0; i < list->len; i++)
    g_string_append_printf (text, "%s;", reeve_record_get_id (g_ptr_array_index (list, i)));
  list = reeve_query_result_get_groups (result);
  for (guint i = 0; i < list->len; i++)
    {
      g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
      g_autofree char *json = NULL;

      json_node_set_object (node, g_ptr_array_index (list, i));
      json = reeve_json_canonical (node);
      g_string_append_printf (text, "%s;", json);
    }
  *cursor = g_strdup (reeve_query_result_get_cursor (result));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
describe_or_die (const char *left, const char *right, const char *left_cursor,
                 const char *right_cursor)
{
  if (strcmp (left, right) == 0 && (left_cursor == NULL) == (right_cursor == NULL))
    return;
  g_printerr ("%s\n%s\n", left, right);
  abort ();
}

/* all pages of both, each with its own cursors */
static void
compare_queries (Input *input)
{
  g_autoptr (ReeveQuery) query = make_query (input);
  g_autofree char *left_cursor = NULL;
  g_autofree char *right_cursor = NULL;

  for (guint pages = 0; pages < 2 * RECORDS; pages++)
    {
      g_autofree char *left = NULL;
      g_autofree char *right = NULL;

      reeve_query_cursor (query, left_cursor);
      g_clear_pointer (&left_cursor, g_free);
      left = describe (storages[0], query, &left_cursor);
      reeve_query_cursor (query, right_cursor);
      g_clear_pointer (&right_cursor, g_free);
      right = describe (storages[1], query, &right_cursor);
      describe_or_die (left, right, left_cursor, right_cursor);
      if (left_cursor == NULL)
        return;
    }
  abort ();
}

static void
try_cursor (Input *input)
{
  g_autoptr (ReeveQuery) query = reeve_query_new ("acme", "things");
  const char *field = fields[take (input, G_N_ELEMENTS (fields) - 1)];
  gboolean descending = take (input, 2) != 0;
  gboolean encode = take (input, 2) != 0;
  g_autofree char *text = encode ? g_base64_encode (input->at, input->left)
                                 : g_strndup ((const char *) input->at, input->left);

  reeve_query_order (query, field, descending);
  reeve_query_cursor (query, text);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *cursor = NULL;
      g_autofree char *page = describe (storages[i], query, &cursor);

      if (g_str_has_prefix (page, "error") && atoi (page + 6) != REEVE_ERROR_INVALID_ARGUMENT)
        abort ();
    }
}

static void
try_search (Input *input)
{
  g_autofree char *raw = g_strndup ((const char *) input->at, input->left);
  g_autofree char *text = g_utf8_make_valid (raw, -1);

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) hits
          = reeve_storage_search_text (storages[i], "acme", "notes", text, NULL, 5, NULL, &error);

      if (hits == NULL)
        {
          g_printerr ("%s\n", error->message);
          abort ();
        }
    }
}

static void
add_op (Input *input, ReeveBatch *batch, JsonObject *object, GBytes *bytes)
{
  g_autofree char *id = g_strdup_printf ("%s%u", words[take (input, 6)], take (input, 18));
  gint64 expected = (gint64) take (input, 5) - 2;

  switch (take (input, 8))
    {
    case 0:
      reeve_batch_put (batch, "things", id, object, expected);
      break;
    case 1:
      reeve_batch_delete (batch, "things", id, expected);
      break;
    case 2:
      reeve_batch_check (batch, "things", id, expected);
      break;
    case 3:
      reeve_batch_count (batch, "c", expected * 4, 0, 10);
      break;
    case 4:
      reeve_batch_append (batch, "s", bytes, expected);
      break;
    case 5:
      reeve_batch_push (batch, "q", take (input, 2) != 0 ? "i" : id, bytes, 0);
      break;
    case 6:
      reeve_batch_acknowledge (batch, "q", "i", expected);
      break;
    default:
      reeve_batch_text_delete (batch, take (input, 4) == 0 ? "none" : "notes", "a");
      break;
    }
}

/* ends with something that is refused, so that nothing changes for the next input; what is refused
 * first must be the same */
static void
compare_batches (Input *input)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  int codes[2] = { -1, -1 };

  if (take (input, 4) == 0)
    json_object_set_string_member (object, "size", "no number");
  while (input->left > 0 && reeve_batch_get_length (batch) < 12)
    add_op (input, batch, object, bytes);
  reeve_batch_count (batch, "never", -1, 0, 10);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      if (reeve_storage_commit (storages[i], batch, &error) != NULL)
        abort ();
      codes[i] = error->code;
    }
  if (codes[0] != codes[1])
    {
      g_printerr ("%d, %d\n", codes[0], codes[1]);
      abort ();
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Input input = { data, size };

  if (storages[0] == NULL)
    set_up ();
  switch (take (&input, 4))
    {
    case 0:
      compare_queries (&input);
      break;
    case 1:
      try_cursor (&input);
      break;
    case 2:
      try_search (&input);
      break;
    default:
      compare_batches (&input);
      break;
    }
  return 0;
}
