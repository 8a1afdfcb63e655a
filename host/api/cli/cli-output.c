/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists become tables of the columns the table of operations names, single things lines of name and
 * value. Control characters of a host's answer never reach the terminal. */
#include "cli-output.h"

#include <glib/gi18n.h>
#include <string.h>

#include <reeve-json.h>
#include "base/plain.h"

#define REEVE_CLI_OUTPUT_WIDEST 60

/* (transfer full) (nullable) money as an amount and its currency, who or what it was as type and
 * id; an object with other members than these has no such text */
static char *
reeve_cli_output_pair (JsonNode *node)
{
  static const char *const pairs[][2] = { { "amount", "currency" }, { "type", "id" } };
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  for (guint i = 0; object != NULL && i < G_N_ELEMENTS (pairs); i++)
    {
      const char *first = reeve_json_get_string (object, pairs[i][0], NULL);
      const char *second = reeve_json_get_string (object, pairs[i][1], NULL);

      if (first != NULL && second != NULL && json_object_get_size (object) == 2)
        return g_strdup_printf ("%s %s", first, second);
    }
  return NULL;
}

/* (transfer full) (nullable) a list of such pairs and of nothing else */
static char *
reeve_cli_output_pairs (JsonNode *node)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      g_autofree char *pair = reeve_cli_output_pair (json_array_get_element (array, i));

      if (pair == NULL)
        return NULL;
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", pair);
    }
  return text->len > 0 ? g_strdup (text->str) : NULL;
}

/* (transfer full) one line of printable text */
static char *
reeve_cli_output_text (JsonNode *node)
{
  g_autofree char *text = NULL;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return g_strdup ("-");
  text
      = JSON_NODE_HOLDS_ARRAY (node) ? reeve_cli_output_pairs (node) : reeve_cli_output_pair (node);
  if (text != NULL)
    return reeve_plain_make_line (text);
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    text = g_strdup (json_node_get_string (node));
  else
    text = reeve_json_text (node);
  return reeve_plain_make_line (text);
}

static char *
reeve_cli_output_cell (JsonObject *item, const char *column)
{
  g_autofree char *text = reeve_cli_output_text (json_object_get_member (item, column));
  g_autofree char *cut = NULL;

  if (g_utf8_strlen (text, -1) <= REEVE_CLI_OUTPUT_WIDEST)
    return g_steal_pointer (&text);
  cut = g_utf8_substring (text, 0, REEVE_CLI_OUTPUT_WIDEST - 1);
  return g_strconcat (cut, "…", NULL);
}

static void
reeve_cli_output_pad (const char *text, guint width, gboolean last)
{
  g_autofree char *line = reeve_plain_make_line (text);
  guint length = (guint) g_utf8_strlen (line, -1);

  g_print ("%s", line);
  if (!last)
    g_print ("%*s", (int) (width > length ? width - length + 2 : 2), "");
}

static guint
reeve_cli_output_width (GPtrArray *items, const char *column)
{
  guint width = (guint) strlen (column);

  for (guint i = 0; i < items->len; i++)
    {
      g_autofree char *cell = reeve_cli_output_cell (g_ptr_array_index (items, i), column);

      width = MAX (width, (guint) g_utf8_strlen (cell, -1));
    }
  return width;
}

static void
reeve_cli_output_row (JsonObject *item, const char *const *columns, const guint *widths)
{
  for (guint i = 0; columns[i] != NULL; i++)
    {
      g_autofree char *cell = item != NULL ? reeve_cli_output_cell (item, columns[i])
                                           : g_ascii_strup (columns[i], -1);

      reeve_cli_output_pad (cell, widths[i], columns[i + 1] == NULL);
    }
  g_print ("\n");
}

static void
reeve_cli_output_table (GPtrArray *items, const char *const *columns)
{
  guint n = g_strv_length ((char **) columns);
  g_autofree guint *widths = g_new0 (guint, n + 1);

  for (guint i = 0; i < n; i++)
    widths[i] = reeve_cli_output_width (items, columns[i]);
  reeve_cli_output_row (NULL, columns, widths);
  for (guint i = 0; i < items->len; i++)
    reeve_cli_output_row (g_ptr_array_index (items, i), columns, widths);
}

/* ---- lists ---- */

static int
reeve_cli_output_compare (gconstpointer a, gconstpointer b, gpointer user_data)
{
  JsonNode *left = json_object_get_member (*(JsonObject *const *) a, user_data);
  JsonNode *right = json_object_get_member (*(JsonObject *const *) b, user_data);
  g_autofree char *left_text = reeve_cli_output_text (left);
  g_autofree char *right_text = reeve_cli_output_text (right);
  double left_number = g_ascii_strtod (left_text, NULL);
  double right_number = g_ascii_strtod (right_text, NULL);
  gboolean numbers = left != NULL && right != NULL && JSON_NODE_HOLDS_VALUE (left)
                     && JSON_NODE_HOLDS_VALUE (right)
                     && json_node_get_value_type (left) != G_TYPE_STRING;

  if (numbers)
    return (left_number > right_number) - (left_number < right_number);
  return g_utf8_collate (left_text, right_text);
}

static gboolean
reeve_cli_output_passes (JsonObject *item, const char *filter)
{
  const char *equals = filter != NULL ? strchr (filter, '=') : NULL;
  g_autofree char *member = NULL;
  g_autofree char *text = NULL;

  if (equals == NULL)
    return TRUE;
  member = g_strndup (filter, (gsize) (equals - filter));
  text = reeve_cli_output_text (json_object_get_member (item, member));
  return strstr (text, equals + 1) != NULL;
}

static GPtrArray *
reeve_cli_output_select (JsonArray *array, const char *sort, const char *filter)
{
  GPtrArray *items = g_ptr_array_new ();

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_OBJECT (element)
          && reeve_cli_output_passes (json_node_get_object (element), filter))
        g_ptr_array_add (items, json_node_get_object (element));
    }
  if (sort != NULL)
    g_ptr_array_sort_with_data (items, reeve_cli_output_compare, (gpointer) sort);
  return items;
}

/* ---- single things ---- */

/* An object, or a list of objects, that is shown by itself, behind what is a line each. */
static gboolean
reeve_cli_output_is_part (JsonNode *node)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  g_autofree char *pairs
      = array != NULL ? reeve_cli_output_pairs (node) : reeve_cli_output_pair (node);

  if (pairs != NULL)
    return FALSE;
  if (array != NULL)
    return json_array_get_length (array) > 0
           && JSON_NODE_HOLDS_OBJECT (json_array_get_element (array, 0));
  return JSON_NODE_HOLDS_OBJECT (node) && json_object_get_size (json_node_get_object (node)) > 0;
}

/* Is the member told of any of the items? */
static gboolean
reeve_cli_output_says (GPtrArray *items, const char *column)
{
  for (guint i = 0; i < items->len; i++)
    {
      JsonNode *node = json_object_get_member (g_ptr_array_index (items, i), column);
      g_autofree char *text = reeve_cli_output_text (node);

      if (strcmp (text, "-") != 0 && strcmp (text, "0") != 0 && strcmp (text, "[]") != 0
          && strcmp (text, "{}") != 0 && strcmp (text, "") != 0)
        return TRUE;
    }
  return FALSE;
}

/* A table of the members that say something and are no lists themselves, the first in any case;
 * JSON has the others. */
static void
reeve_cli_output_part_table (JsonArray *array)
{
  g_autoptr (GPtrArray) items = reeve_cli_output_select (array, NULL, NULL);
  g_autoptr (GPtrArray) columns = g_ptr_array_new ();
  g_autoptr (GList) members = items->len > 0 ? json_object_get_members (items->pdata[0]) : NULL;

  for (GList *l = members; l != NULL; l = l->next)
    {
      if (!reeve_cli_output_is_part (json_object_get_member (items->pdata[0], l->data))
          && (l == members || reeve_cli_output_says (items, l->data)))
        g_ptr_array_add (columns, l->data);
    }
  g_ptr_array_add (columns, NULL);
  reeve_cli_output_table (items, (const char *const *) columns->pdata);
}

/* @parts: also what would be a part of its own, as JSON */
static void
reeve_cli_output_lines (JsonObject *object, gboolean parts)
{
  g_autoptr (GList) members = json_object_get_members (object);
  guint width = 0;

  for (GList *l = members; l != NULL; l = l->next)
    {
      if (parts || !reeve_cli_output_is_part (json_object_get_member (object, l->data)))
        width = MAX (width, (guint) strlen (l->data));
    }
  for (GList *l = members; l != NULL; l = l->next)
    {
      JsonNode *node = json_object_get_member (object, l->data);
      g_autofree char *text = reeve_cli_output_text (node);

      if (!parts && reeve_cli_output_is_part (node))
        continue;
      reeve_cli_output_pad (l->data, width, FALSE);
      g_print ("%s\n", text);
    }
}

static void
reeve_cli_output_object (JsonObject *object)
{
  g_autoptr (GList) members = json_object_get_members (object);

  reeve_cli_output_lines (object, FALSE);
  for (GList *l = members; l != NULL; l = l->next)
    {
      JsonNode *node = json_object_get_member (object, l->data);
      g_autofree char *name = reeve_plain_make_line (l->data);

      if (!reeve_cli_output_is_part (node))
        continue;
      g_print ("\n%s\n", name);
      if (JSON_NODE_HOLDS_ARRAY (node))
        reeve_cli_output_part_table (json_node_get_array (node));
      else
        reeve_cli_output_lines (json_node_get_object (node), TRUE);
    }
}

static JsonArray *
reeve_cli_output_find_list (JsonObject *object)
{
  static const char *const names[] = { "items", "results", "tools", "models", "data" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      JsonArray *array = reeve_json_get_array (object, names[i]);

      if (array != NULL)
        return array;
    }
  return NULL;
}

/* A single thing whose one column is a text: that alone, as it is to be read or kept. */
static gboolean
reeve_cli_output_whole (JsonObject *object, const char *const *columns)
{
  const char *whole = columns[0] != NULL && columns[1] == NULL
                          ? reeve_json_get_string (object, columns[0], NULL)
                          : NULL;
  g_autofree char *text = whole != NULL ? reeve_plain_make_text (whole) : NULL;

  if (text != NULL)
    g_print ("%s", text);
  return text != NULL;
}

/**
 * reeve_cli_output_print:
 * @body: what the host answered
 * @columns: members shown of a list, or the only one of a single thing
 * @sort: (nullable): member a list is sorted by
 * @filter: (nullable): MEMBER=TEXT: only items whose member holds the text
 *
 * Prints an answer for people.
 */
void
reeve_cli_output_print (JsonNode *body, const char *const *columns, const char *sort,
                        const char *filter)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (body) ? json_node_get_object (body) : NULL;
  JsonArray *array = object != NULL                 ? reeve_cli_output_find_list (object)
                     : JSON_NODE_HOLDS_ARRAY (body) ? json_node_get_array (body)
                                                    : NULL;
  g_autoptr (GPtrArray) items = NULL;
  const char *cursor = object != NULL ? reeve_json_get_string (object, "next_cursor", NULL) : NULL;

  if (array == NULL || columns[0] == NULL)
    {
      if (object != NULL && !reeve_cli_output_whole (object, columns))
        reeve_cli_output_object (object);
      return;
    }
  items = reeve_cli_output_select (array, sort, filter);
  reeve_cli_output_table (items, columns);
  if (cursor != NULL)
    g_print (_ ("More: --cursor %s\n"), cursor);
}

/* ---- runs ---- */

static void
reeve_cli_output_references (JsonArray *citations)
{
  for (guint i = 0; citations != NULL && i < json_array_get_length (citations); i++)
    {
      JsonObject *citation = json_array_get_object_element (citations, i);
      g_autofree char *title = reeve_cli_output_text (json_object_get_member (citation, "title"));
      gint64 page = reeve_json_get_int (citation, "page_number", 0);

      g_print ("%s[%u] %s", i == 0 ? "\n" : "", i + 1, title);
      if (page > 0)
        g_print (" p. %" G_GINT64_FORMAT, page);
      g_print ("\n");
    }
}

/**
 * reeve_cli_output_print_run:
 * @answer: of a run
 * @with_text: print the answer's text too; else it was streamed
 *
 * Prints what a run came to.
 */
void
reeve_cli_output_print_run (JsonObject *answer, gboolean with_text)
{
  JsonObject *audit = reeve_json_get_object (answer, "audit");
  JsonObject *failure = reeve_json_get_object (answer, "error");
  g_autofree char *text = reeve_plain_make_text (reeve_json_get_string (answer, "answer", ""));
  g_autofree char *why = reeve_plain_make_line (
      failure != NULL ? reeve_json_get_string (failure, "message", "") : "");

  if (with_text)
    g_print ("%s", text);
  g_print ("\n");
  reeve_cli_output_references (reeve_json_get_array (answer, "citations"));
  if (failure != NULL)
    g_print (_ ("Failed: %s\n"), why);
  g_print (_ ("\nRun %s: %s"), reeve_json_get_string (answer, "run_id", ""),
           reeve_json_get_string (answer, "status", ""));
  if (audit != NULL)
    g_print (_ (", audit %" G_GINT64_FORMAT "–%" G_GINT64_FORMAT),
             reeve_json_get_int (audit, "first", 0), reeve_json_get_int (audit, "last", 0));
  g_print ("\n");
}
