/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that is wrong is found before anything counts, and is named by its place. */
#include "price-list.h"

#include <reeve-plugin-1.h>
#include <string.h>

#include "base/json-place.h"

#include "money.h"

#define REEVE_PRICE_LIST_DIGITS 12
#define REEVE_PRICE_LIST_NAME   256
#define REEVE_PRICE_LIST_NOTES  1000

struct _ReevePriceList
{
  gatomicrefcount references;
  char *source;
  char *date;
  GPtrArray *rows;  /* of ReevePriceRow */
  GHashTable *find; /* service, line feed, name -> ReevePriceRow */
};

/* What is being read. */
typedef struct
{
  ReevePriceList *list;
  JsonArray *faults;
  guint row;
} ReevePriceListReader;

static void
reeve_price_list_free_row (gpointer data)
{
  ReevePriceRow *row = data;

  g_free (row->model_name);
  g_free (row->service);
  g_free (row->notes);
  g_free (row);
}

ReevePriceList *
reeve_price_list_ref (ReevePriceList *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_price_list_unref (ReevePriceList *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->find);
  g_ptr_array_unref (self->rows);
  g_free (self->source);
  g_free (self->date);
  g_free (self);
}

/* ---- faults ---- */

static void
reeve_price_list_fault (ReevePriceListReader *self, const char *pointer, const char *message)
{
  JsonObject *fault = json_object_new ();

  json_object_set_string_member (fault, "pointer", pointer);
  json_object_set_string_member (fault, "message", message);
  json_array_add_object_element (self->faults, fault);
}

static void
reeve_price_list_fault_row (ReevePriceListReader *self, const char *member, const char *message)
{
  g_autofree char *pointer = g_strdup_printf (
      "/prices/%u%s%s", self->row, member != NULL ? "/" : "", member != NULL ? member : "");

  reeve_price_list_fault (self, pointer, message);
}

/* ---- members ---- */

static gboolean
reeve_price_list_is_text (const char *text, gsize most)
{
  if (*text == '\0' || strlen (text) > most || !g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (const char *p = text; *p != '\0'; p++)
    if ((guchar) *p < 0x20 || *p == 0x7f)
      return FALSE;
  return TRUE;
}

/* (transfer full) (nullable) */
static char *
reeve_price_list_read_text (ReevePriceListReader *self, JsonObject *object, const char *member,
                            gsize most, gboolean needed)
{
  const char *text = reeve_json_get_string (object, member, NULL);

  if (text != NULL && reeve_price_list_is_text (text, most))
    return g_strdup (text);
  if (json_object_has_member (object, member))
    reeve_price_list_fault_row (self, member, "is not text, or empty, or too long");
  else if (needed)
    reeve_price_list_fault_row (self, member, "is missing");
  return NULL;
}

static void
reeve_price_list_read_price (ReevePriceListReader *self, JsonObject *object, const char *member,
                             gboolean needed, gint64 *price)
{
  const char *text = reeve_json_get_string (object, member, NULL);
  g_autoptr (GError) error = NULL;

  if (text == NULL && json_object_has_member (object, member))
    reeve_price_list_fault_row (self, member, "is not text: a price is a decimal number in quotes");
  else if (text == NULL && needed)
    reeve_price_list_fault_row (self, member, "is missing");
  else if (text != NULL && !reeve_money_parse (text, REEVE_PRICE_LIST_DIGITS, price, &error))
    reeve_price_list_fault_row (self, member, error->message);
}

static void
reeve_price_list_read_currency (ReevePriceListReader *self, JsonObject *object, char *currency)
{
  const char *text = reeve_json_get_string (object, "currency", "USD");
  gboolean good = strlen (text) == 3
                  && (!json_object_has_member (object, "currency")
                      || reeve_json_get_string (object, "currency", NULL) != NULL);

  for (guint i = 0; good && i < 3; i++)
    good = g_ascii_isupper (text[i]);
  if (good)
    memcpy (currency, text, 4);
  else
    reeve_price_list_fault_row (self, "currency", "is not three capital letters (ISO 4217)");
}

static void
reeve_price_list_check_members (ReevePriceListReader *self, JsonObject *object)
{
  static const char *const known[] = { "model_name",
                                       "service",
                                       "input_token_price",
                                       "output_token_price",
                                       "cached_input_token_price",
                                       "currency",
                                       "notes",
                                       NULL };
  g_autoptr (GList) names = json_object_get_members (object);

  for (GList *l = names; l != NULL; l = l->next)
    if (!g_strv_contains (known, l->data))
      reeve_price_list_fault_row (self, l->data, "is not known");
}

/* ---- rows ---- */

static char *
reeve_price_list_key (const char *service, const char *model_name)
{
  return g_strconcat (service != NULL ? service : "", "\n", model_name, NULL);
}

static void
reeve_price_list_keep (ReevePriceListReader *self, ReevePriceRow *row)
{
  g_autofree char *key = NULL;

  if (row->model_name == NULL)
    return;
  key = reeve_price_list_key (row->service, row->model_name);
  if (g_hash_table_contains (self->list->find, key))
    reeve_price_list_fault_row (self, "model_name", "has a price already");
  else
    g_hash_table_insert (self->list->find, g_steal_pointer (&key), row);
}

static void
reeve_price_list_read_row (ReevePriceListReader *self, JsonNode *node)
{
  ReevePriceRow *row = NULL;
  JsonObject *object = NULL;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      reeve_price_list_fault_row (self, NULL, "is not an object");
      return;
    }
  object = json_node_get_object (node);
  row = g_new0 (ReevePriceRow, 1);
  g_ptr_array_add (self->list->rows, row);
  reeve_price_list_check_members (self, object);
  row->model_name
      = reeve_price_list_read_text (self, object, "model_name", REEVE_PRICE_LIST_NAME, TRUE);
  row->service = reeve_price_list_read_text (self, object, "service", REEVE_PRICE_LIST_NAME, FALSE);
  row->notes = reeve_price_list_read_text (self, object, "notes", REEVE_PRICE_LIST_NOTES, FALSE);
  reeve_price_list_read_price (self, object, "input_token_price", TRUE, &row->price.input);
  reeve_price_list_read_price (self, object, "output_token_price", TRUE, &row->price.output);
  row->price.cached = row->price.input;
  reeve_price_list_read_price (self, object, "cached_input_token_price", FALSE, &row->price.cached);
  reeve_price_list_read_currency (self, object, row->price.currency);
  reeve_price_list_keep (self, row);
}

static gboolean
reeve_price_list_is_date (const char *text)
{
  g_autoptr (GDateTime) parsed = NULL;
  g_autofree char *whole = g_strconcat (text, "T00:00:00Z", NULL);

  if (strlen (text) != 10)
    return FALSE;
  parsed = g_date_time_new_from_iso8601 (whole, NULL);
  return parsed != NULL;
}

static void
reeve_price_list_read_head (ReevePriceListReader *self, JsonObject *file)
{
  static const char *const known[] = { "source", "date", "prices", NULL };
  const char *source = reeve_json_get_string (file, "source", "");
  const char *date = reeve_json_get_string (file, "date", "");
  g_autoptr (GList) names = json_object_get_members (file);

  for (GList *l = names; l != NULL; l = l->next)
    {
      g_autofree char *pointer = g_strconcat ("/", l->data, NULL);

      if (!g_strv_contains (known, l->data))
        reeve_price_list_fault (self, pointer, "is not known");
    }
  if (!reeve_price_list_is_text (source, REEVE_PRICE_LIST_NOTES))
    reeve_price_list_fault (self, "/source", "must say where the prices are from");
  if (!reeve_price_list_is_date (date))
    reeve_price_list_fault (self, "/date", "must say of which day the prices are: 2026-01-31");
  self->list->source = g_strdup (source);
  self->list->date = g_strdup (date);
}

static void
reeve_price_list_read (ReevePriceListReader *self, JsonObject *file)
{
  JsonArray *rows = reeve_json_get_array (file, "prices");

  reeve_price_list_read_head (self, file);
  if (rows == NULL)
    reeve_price_list_fault (self, "/prices", "is not a list of prices");
  else if (json_array_get_length (rows) > REEVE_PRICE_LIST_ROWS)
    reeve_price_list_fault (self, "/prices", "has too many rows");
  else
    for (self->row = 0; self->row < json_array_get_length (rows); self->row++)
      reeve_price_list_read_row (self, json_array_get_element (rows, self->row));
}

/**
 * reeve_price_list_new:
 * @file: what the file says
 * @faults: (nullable): where {pointer, message} of each fault is added
 * @error: return location
 *
 * Returns: (transfer full): the list; %NULL with %REEVE_ERROR_INVALID_ARGUMENT naming the first
 * fault
 */
ReevePriceList *
reeve_price_list_new (JsonObject *file, JsonArray *faults, GError **error)
{
  g_autoptr (ReevePriceList) self = g_new0 (ReevePriceList, 1);
  g_autoptr (JsonArray) found = faults != NULL ? json_array_ref (faults) : json_array_new ();
  guint before = json_array_get_length (found);
  ReevePriceListReader reader = { .list = self, .faults = found };

  g_atomic_ref_count_init (&self->references);
  self->rows = g_ptr_array_new_with_free_func (reeve_price_list_free_row);
  self->find = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  reeve_price_list_read (&reader, file);
  if (json_array_get_length (found) > before)
    {
      JsonObject *first = json_array_get_object_element (found, before);

      reeve_error_set_member (error, json_object_get_string_member (first, "pointer"), "%s",
                              json_object_get_string_member (first, "message"));
      return NULL;
    }
  return g_steal_pointer (&self);
}

/**
 * reeve_price_list_parse:
 * @text: of a file
 * @length: in bytes
 * @error: return location
 *
 * Returns: (transfer full): the list; %NULL with %REEVE_ERROR_INVALID_ARGUMENT naming line and
 * member
 */
ReevePriceList *
reeve_price_list_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (JsonArray) faults = json_array_new ();
  JsonObject *first = NULL;
  ReevePriceList *self = NULL;

  if (length > REEVE_PRICE_LIST_BYTES)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "the file is larger than %d bytes", REEVE_PRICE_LIST_BYTES);
      return NULL;
    }
  node = reeve_json_parse_strict (text, length, error);
  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "line 1: is not a JSON object");
      return NULL;
    }
  self = reeve_price_list_new (json_node_get_object (node), faults, NULL);
  if (self != NULL)
    return self;
  first = json_array_get_object_element (faults, 0);
  g_set_error (
      error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "line %u: %s: %s",
      reeve_json_place_line (text, length, json_object_get_string_member (first, "pointer")),
      json_object_get_string_member (first, "pointer"),
      json_object_get_string_member (first, "message"));
  return NULL;
}

/* ---- reading it ---- */

const char *
reeve_price_list_get_source (const ReevePriceList *self)
{
  return self->source;
}

const char *
reeve_price_list_get_date (const ReevePriceList *self)
{
  return self->date;
}

const GPtrArray *
reeve_price_list_get_rows (const ReevePriceList *self)
{
  return self->rows;
}

const ReevePriceRow *
reeve_price_list_find (const ReevePriceList *self, const char *service, const char *model_name)
{
  g_autofree char *own = service != NULL ? reeve_price_list_key (service, model_name) : NULL;
  g_autofree char *any = reeve_price_list_key (NULL, model_name);
  const ReevePriceRow *row = own != NULL ? g_hash_table_lookup (self->find, own) : NULL;

  return row != NULL ? row : g_hash_table_lookup (self->find, any);
}
