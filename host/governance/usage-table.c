/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of sums. Written they take some fifty bytes each: strings with their length, numbers in
 * groups of seven bits, the least first (LEB128). */
#include "usage-table.h"

#include <reeve-error.h>
#include <string.h>

#define REEVE_USAGE_TABLE_VERSION    1
#define REEVE_USAGE_TABLE_MAX_STRING 1024
/* three lengths and a byte for each number */
#define REEVE_USAGE_TABLE_LEAST (3 + REEVE_USAGE_N_COUNTERS)

struct _ReeveUsageTable
{
  GHashTable *rows; /* of ReeveUsageRow to itself */
};

static guint
reeve_usage_table_hash (gconstpointer data)
{
  const ReeveUsageRow *row = data;

  return (g_str_hash (row->value) * 31 + g_str_hash (row->model)) * 31 + g_str_hash (row->currency);
}

static gboolean
reeve_usage_table_equal (gconstpointer a, gconstpointer b)
{
  const ReeveUsageRow *left = a;
  const ReeveUsageRow *right = b;

  return strcmp (left->value, right->value) == 0 && strcmp (left->model, right->model) == 0
         && strcmp (left->currency, right->currency) == 0;
}

ReeveUsageTable *
reeve_usage_table_new (void)
{
  ReeveUsageTable *self = g_new0 (ReeveUsageTable, 1);

  self->rows
      = g_hash_table_new_full (reeve_usage_table_hash, reeve_usage_table_equal, g_free, NULL);
  return self;
}

void
reeve_usage_table_free (ReeveUsageTable *self)
{
  g_hash_table_unref (self->rows);
  g_free (self);
}

/* One piece of memory: the row and behind it its strings. */
static ReeveUsageRow *
reeve_usage_table_dup_row (const ReeveUsageRow *row)
{
  gsize value = strlen (row->value) + 1;
  gsize model = strlen (row->model) + 1;
  gsize currency = strlen (row->currency) + 1;
  ReeveUsageRow *made = g_malloc0 (sizeof *made + value + model + currency);
  char *at = (char *) (made + 1);

  made->value = memcpy (at, row->value, value);
  made->model = memcpy (at + value, row->model, model);
  made->currency = memcpy (at + value + model, row->currency, currency);
  memcpy (made->n, row->n, sizeof made->n);
  return made;
}

/**
 * reeve_usage_row_add:
 * @to: #REEVE_USAGE_N_COUNTERS numbers
 * @n: as many, none negative
 *
 * Sums that do not fit stay at the greatest number there is.
 */
void
reeve_usage_row_add (gint64 *to, const gint64 *n)
{
  for (guint i = 0; i < REEVE_USAGE_FIRST; i++)
    if (__builtin_add_overflow (to[i], n[i], &to[i]))
      to[i] = G_MAXINT64;
  if (n[REEVE_USAGE_FIRST] != 0
      && (to[REEVE_USAGE_FIRST] == 0 || n[REEVE_USAGE_FIRST] < to[REEVE_USAGE_FIRST]))
    to[REEVE_USAGE_FIRST] = n[REEVE_USAGE_FIRST];
  to[REEVE_USAGE_LAST] = MAX (to[REEVE_USAGE_LAST], n[REEVE_USAGE_LAST]);
}

/**
 * reeve_usage_table_add:
 * @self: a table
 * @row: what is added
 *
 * A table that is full counts what is new to it under #REEVE_USAGE_TABLE_OTHER: sums stay right.
 */
void
reeve_usage_table_add (ReeveUsageTable *self, const ReeveUsageRow *row)
{
  ReeveUsageRow *known = g_hash_table_lookup (self->rows, row);
  ReeveUsageRow other = *row;

  if (known == NULL && g_hash_table_size (self->rows) >= REEVE_USAGE_TABLE_ROWS)
    {
      other.value = *row->value != '\0' ? REEVE_USAGE_TABLE_OTHER : "";
      other.model = *row->model != '\0' ? REEVE_USAGE_TABLE_OTHER : "";
      known = g_hash_table_lookup (self->rows, &other);
    }
  if (known != NULL)
    reeve_usage_row_add (known->n, row->n);
  else
    g_hash_table_add (self->rows, reeve_usage_table_dup_row (&other));
}

static void
reeve_usage_table_merge_row (const ReeveUsageRow *row, gpointer user_data)
{
  reeve_usage_table_add (user_data, row);
}

void
reeve_usage_table_merge (ReeveUsageTable *self, ReeveUsageTable *other)
{
  reeve_usage_table_foreach (other, reeve_usage_table_merge_row, self);
}

void
reeve_usage_table_foreach (ReeveUsageTable *self, ReeveUsageTableFunc func, gpointer user_data)
{
  GHashTableIter iter;
  gpointer row = NULL;

  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, &row, NULL))
    func (row, user_data);
}

guint
reeve_usage_table_get_size (ReeveUsageTable *self)
{
  return g_hash_table_size (self->rows);
}

const ReeveUsageRow *
reeve_usage_table_find (ReeveUsageTable *self, const char *value, const char *model,
                        const char *currency)
{
  const ReeveUsageRow row = { .value = value, .model = model, .currency = currency };

  return g_hash_table_lookup (self->rows, &row);
}

/* ---- bytes ---- */

static void
reeve_usage_table_write_number (GByteArray *bytes, guint64 number)
{
  guint8 byte = 0;

  do
    {
      byte = (guint8) ((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
      g_byte_array_append (bytes, &byte, 1);
      number >>= 7;
    }
  while (number != 0);
}

static void
reeve_usage_table_write_string (GByteArray *bytes, const char *text)
{
  gsize length = strlen (text);

  reeve_usage_table_write_number (bytes, length);
  g_byte_array_append (bytes, (const guint8 *) text, (guint) length);
}

static void
reeve_usage_table_write_row (const ReeveUsageRow *row, gpointer user_data)
{
  GByteArray *bytes = user_data;

  reeve_usage_table_write_string (bytes, row->value);
  reeve_usage_table_write_string (bytes, row->model);
  reeve_usage_table_write_string (bytes, row->currency);
  for (guint i = 0; i < REEVE_USAGE_N_COUNTERS; i++)
    reeve_usage_table_write_number (bytes, (guint64) MAX (row->n[i], 0));
}

/**
 * reeve_usage_table_write:
 * @self: a table
 *
 * Returns: (transfer full): its bytes: version, how many rows, the rows
 */
GBytes *
reeve_usage_table_write (ReeveUsageTable *self)
{
  GByteArray *bytes = g_byte_array_new ();

  reeve_usage_table_write_number (bytes, REEVE_USAGE_TABLE_VERSION);
  reeve_usage_table_write_number (bytes, g_hash_table_size (self->rows));
  reeve_usage_table_foreach (self, reeve_usage_table_write_row, bytes);
  return g_byte_array_free_to_bytes (bytes);
}

typedef struct
{
  const guint8 *at;
  const guint8 *end;
  char strings[3][REEVE_USAGE_TABLE_MAX_STRING + 1];
} ReeveUsageTableReader;

static gboolean
reeve_usage_table_read_number (ReeveUsageTableReader *self, guint64 *number)
{
  *number = 0;
  for (guint shift = 0; shift < 63 && self->at < self->end; shift += 7)
    {
      guint8 byte = *self->at++;

      *number |= (guint64) (byte & 0x7f) << shift;
      if ((byte & 0x80) == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
reeve_usage_table_read_string (ReeveUsageTableReader *self, char *text)
{
  guint64 length = 0;

  if (!reeve_usage_table_read_number (self, &length) || length > REEVE_USAGE_TABLE_MAX_STRING
      || length > (guint64) (self->end - self->at) || memchr (self->at, 0, length) != NULL)
    return FALSE;
  memcpy (text, self->at, length);
  text[length] = '\0';
  self->at += length;
  return TRUE;
}

static gboolean
reeve_usage_table_read_row (ReeveUsageTableReader *self, ReeveUsageRow *row)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->strings); i++)
    if (!reeve_usage_table_read_string (self, self->strings[i]))
      return FALSE;
  *row = (ReeveUsageRow){ .value = self->strings[0],
                          .model = self->strings[1],
                          .currency = self->strings[2] };
  for (guint i = 0; i < REEVE_USAGE_N_COUNTERS; i++)
    {
      guint64 number = 0;

      if (!reeve_usage_table_read_number (self, &number))
        return FALSE;
      row->n[i] = (gint64) number;
    }
  return TRUE;
}

/* Adds to @table (nullable: only looks). */
static gboolean
reeve_usage_table_read_rows (ReeveUsageTableReader *self, ReeveUsageTable *table)
{
  guint64 version = 0;
  guint64 rows = 0;

  if (!reeve_usage_table_read_number (self, &version) || version != REEVE_USAGE_TABLE_VERSION
      || !reeve_usage_table_read_number (self, &rows)
      || rows > (guint64) (self->end - self->at) / REEVE_USAGE_TABLE_LEAST)
    return FALSE;
  for (guint64 i = 0; i < rows; i++)
    {
      ReeveUsageRow row;

      if (!reeve_usage_table_read_row (self, &row))
        return FALSE;
      if (table != NULL)
        reeve_usage_table_add (table, &row);
    }
  return self->at == self->end;
}

/**
 * reeve_usage_table_read:
 * @self: a table
 * @bytes: of reeve_usage_table_write()
 * @error: return location
 *
 * Adds the rows.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT; the table is as it was then
 */
gboolean
reeve_usage_table_read (ReeveUsageTable *self, GBytes *bytes, GError **error)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  ReeveUsageTableReader reader = { .at = data, .end = data + length };
  ReeveUsageTableReader again = { .at = data, .end = data + length };

  if (reeve_usage_table_read_rows (&reader, NULL))
    return reeve_usage_table_read_rows (&again, self);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "sums of usage are not what was written");
  return FALSE;
}
