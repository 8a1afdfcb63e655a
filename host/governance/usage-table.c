/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of sums. Written they take some thirty bytes each: in the order of their values, each with
 * what it does not share with the one before, models and currencies by their place in a list,
 * numbers that are not zero in groups of seven bits, the least first (LEB128). */
#include "usage-table.h"

#include <reeve-error.h>
#include <string.h>

#define REEVE_USAGE_TABLE_VERSION 3
/* without the counters from REEVE_USAGE_UNPRICED_TOKENS on that it did not have */
#define REEVE_USAGE_TABLE_BEFORE     2
#define REEVE_USAGE_TABLE_ADDED      2
#define REEVE_USAGE_TABLE_MAX_STRING 1024
/* of a row: what is shared, what is not, model, currency, which numbers */
#define REEVE_USAGE_TABLE_LEAST 5

struct _ReeveUsageTable
{
  GHashTable *rows; /* of ReeveUsageRow to itself */
};

static guint
reeve_usage_table_hash (gconstpointer data)
{
  const ReeveUsageRow *row = data;

  /* a model has one currency but for a day or two */
  return g_str_hash (row->value) * 31 + g_str_hash (row->model);
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

typedef struct
{
  ReeveUsageTable *table;
  const ReeveUsageChoice *choice; /* (nullable) */
} ReeveUsageTableMerge;

static void
reeve_usage_table_merge_row (const ReeveUsageRow *row, gpointer user_data)
{
  const ReeveUsageTableMerge *self = user_data;
  const ReeveUsageChoice *choice = self->choice;
  ReeveUsageRow flat;

  if (choice != NULL
      && ((choice->value != NULL && strcmp (choice->value, row->value) != 0)
          || (choice->model != NULL && strcmp (choice->model, row->model) != 0)))
    return;
  if (choice == NULL || !choice->flat)
    {
      reeve_usage_table_add (self->table, row);
      return;
    }
  flat = *row;
  flat.model = "";
  reeve_usage_table_add (self->table, &flat);
}

void
reeve_usage_table_merge (ReeveUsageTable *self, ReeveUsageTable *other,
                         const ReeveUsageChoice *choice)
{
  ReeveUsageTableMerge merge = { self, choice };

  reeve_usage_table_foreach (other, reeve_usage_table_merge_row, &merge);
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

static gint
reeve_usage_table_compare (gconstpointer a, gconstpointer b)
{
  const ReeveUsageRow *left = *(const ReeveUsageRow *const *) a;
  const ReeveUsageRow *right = *(const ReeveUsageRow *const *) b;
  int order = strcmp (left->value, right->value);

  if (order == 0)
    order = strcmp (left->model, right->model);
  return order != 0 ? order : strcmp (left->currency, right->currency);
}

/* Rows in order, and their models and currencies. */
typedef struct
{
  GPtrArray *rows;
  GPtrArray *words;  /* borrowed */
  GHashTable *known; /* word -> its place + 1 */
} ReeveUsageTableWriter;

static guint
reeve_usage_table_place (ReeveUsageTableWriter *self, const char *word)
{
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (self->known, word));

  if (place == 0)
    {
      g_ptr_array_add (self->words, (gpointer) word);
      place = self->words->len;
      g_hash_table_insert (self->known, (gpointer) word, GUINT_TO_POINTER (place));
    }
  return place - 1;
}

static void
reeve_usage_table_collect (const ReeveUsageRow *row, gpointer user_data)
{
  ReeveUsageTableWriter *self = user_data;

  g_ptr_array_add (self->rows, (gpointer) row);
  (void) reeve_usage_table_place (self, row->model);
  (void) reeve_usage_table_place (self, row->currency);
}

static void
reeve_usage_table_write_row (ReeveUsageTableWriter *self, const ReeveUsageRow *row,
                             const char *before, GByteArray *bytes)
{
  gint64 n[REEVE_USAGE_N_COUNTERS];
  guint64 mask = 0;
  gsize shared = 0;

  while (row->value[shared] != '\0' && row->value[shared] == before[shared])
    shared++;
  memcpy (n, row->n, sizeof n);
  n[REEVE_USAGE_LAST] -= n[REEVE_USAGE_FIRST];
  for (guint i = 0; i < REEVE_USAGE_N_COUNTERS; i++)
    mask |= (guint64) (n[i] > 0) << i;
  reeve_usage_table_write_number (bytes, shared);
  reeve_usage_table_write_string (bytes, row->value + shared);
  reeve_usage_table_write_number (bytes, reeve_usage_table_place (self, row->model));
  reeve_usage_table_write_number (bytes, reeve_usage_table_place (self, row->currency));
  reeve_usage_table_write_number (bytes, mask);
  for (guint i = 0; i < REEVE_USAGE_N_COUNTERS; i++)
    if (n[i] > 0)
      reeve_usage_table_write_number (bytes, (guint64) n[i]);
}

/**
 * reeve_usage_table_write:
 * @self: a table
 *
 * Returns: (transfer full): its bytes: version; how many words, the words; how many rows, the rows
 */
GBytes *
reeve_usage_table_write (ReeveUsageTable *self)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_sized_new (g_hash_table_size (self->rows));
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  ReeveUsageTableWriter writer = { rows, words, known };
  GByteArray *bytes = g_byte_array_new ();
  const char *before = "";

  reeve_usage_table_foreach (self, reeve_usage_table_collect, &writer);
  g_ptr_array_sort (rows, reeve_usage_table_compare);
  reeve_usage_table_write_number (bytes, REEVE_USAGE_TABLE_VERSION);
  reeve_usage_table_write_number (bytes, words->len);
  for (guint i = 0; i < words->len; i++)
    reeve_usage_table_write_string (bytes, words->pdata[i]);
  reeve_usage_table_write_number (bytes, rows->len);
  for (guint i = 0; i < rows->len; i++)
    {
      const ReeveUsageRow *row = rows->pdata[i];

      reeve_usage_table_write_row (&writer, row, before, bytes);
      before = row->value;
    }
  return g_byte_array_free_to_bytes (bytes);
}

typedef struct
{
  const guint8 *at;
  const guint8 *end;
  GPtrArray *words; /* owned */
  char value[REEVE_USAGE_TABLE_MAX_STRING + 1];
  gsize length; /* of the value */
  guint added;  /* how many counters this version does not have */
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

/* Behind the first @kept bytes of @text. */
static gboolean
reeve_usage_table_read_string (ReeveUsageTableReader *self, char *text, gsize kept, gsize *length)
{
  guint64 more = 0;

  if (!reeve_usage_table_read_number (self, &more) || more > REEVE_USAGE_TABLE_MAX_STRING - kept
      || more > (guint64) (self->end - self->at) || memchr (self->at, 0, more) != NULL)
    return FALSE;
  memcpy (text + kept, self->at, more);
  *length = kept + more;
  text[*length] = '\0';
  self->at += more;
  return TRUE;
}

static gboolean
reeve_usage_table_read_words (ReeveUsageTableReader *self)
{
  guint64 words = 0;
  gsize length = 0;

  if (!reeve_usage_table_read_number (self, &words) || words > (guint64) (self->end - self->at))
    return FALSE;
  for (guint64 i = 0; i < words; i++)
    {
      if (!reeve_usage_table_read_string (self, self->value, 0, &length))
        return FALSE;
      g_ptr_array_add (self->words, g_strdup (self->value));
    }
  self->value[0] = '\0';
  return TRUE;
}

static gboolean
reeve_usage_table_read_word (ReeveUsageTableReader *self, const char **word)
{
  guint64 place = 0;

  if (!reeve_usage_table_read_number (self, &place) || place >= self->words->len)
    return FALSE;
  *word = self->words->pdata[place];
  return TRUE;
}

/* The counters that a mask names. */
static gboolean
reeve_usage_table_read_counters (ReeveUsageTableReader *self, guint64 mask, ReeveUsageRow *row)
{
  for (guint i = 0; i < REEVE_USAGE_N_COUNTERS - self->added; i++)
    {
      guint64 number = 0;

      if ((mask >> i & 1) != 0 && !reeve_usage_table_read_number (self, &number))
        return FALSE;
      row->n[i < REEVE_USAGE_UNPRICED_TOKENS ? i : i + self->added] = (gint64) number;
    }
  if (self->added > 0 && row->n[REEVE_USAGE_UNPRICED] > 0
      && __builtin_add_overflow (row->n[REEVE_USAGE_INPUT], row->n[REEVE_USAGE_OUTPUT],
                                 &row->n[REEVE_USAGE_UNPRICED_TOKENS]))
    row->n[REEVE_USAGE_UNPRICED_TOKENS] = G_MAXINT64;
  return TRUE;
}

static gboolean
reeve_usage_table_read_row (ReeveUsageTableReader *self, ReeveUsageRow *row)
{
  guint64 shared = 0;
  guint64 mask = 0;

  *row = (ReeveUsageRow){ .value = self->value };
  if (!reeve_usage_table_read_number (self, &shared) || shared > self->length
      || !reeve_usage_table_read_string (self, self->value, shared, &self->length)
      || !reeve_usage_table_read_word (self, &row->model)
      || !reeve_usage_table_read_word (self, &row->currency)
      || !reeve_usage_table_read_number (self, &mask)
      || mask >> (REEVE_USAGE_N_COUNTERS - self->added) != 0
      || !reeve_usage_table_read_counters (self, mask, row))
    return FALSE;
  return !__builtin_add_overflow (row->n[REEVE_USAGE_LAST], row->n[REEVE_USAGE_FIRST],
                                  &row->n[REEVE_USAGE_LAST]);
}

static gboolean
reeve_usage_table_read_rows (GBytes *bytes, ReeveUsageTableMerge *merge)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  ReeveUsageTableReader reader
      = { .at = data, .end = data != NULL ? data + length : NULL, .words = words };
  guint64 version = 0;
  guint64 rows = 0;

  if (!reeve_usage_table_read_number (&reader, &version)
      || (version != REEVE_USAGE_TABLE_VERSION && version != REEVE_USAGE_TABLE_BEFORE))
    return FALSE;
  reader.added = version == REEVE_USAGE_TABLE_BEFORE ? REEVE_USAGE_TABLE_ADDED : 0;
  if (!reeve_usage_table_read_words (&reader) || !reeve_usage_table_read_number (&reader, &rows)
      || rows > (guint64) (reader.end - reader.at) / REEVE_USAGE_TABLE_LEAST)
    return FALSE;
  for (guint64 i = 0; i < rows; i++)
    {
      ReeveUsageRow row;

      if (!reeve_usage_table_read_row (&reader, &row))
        return FALSE;
      reeve_usage_table_merge_row (&row, merge);
    }
  return reader.at == reader.end;
}

/**
 * reeve_usage_table_read:
 * @self: a table
 * @bytes: of reeve_usage_table_write()
 * @choice: (nullable): which rows; all
 * @error: return location
 *
 * Adds the rows.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT; some rows may be added then
 */
gboolean
reeve_usage_table_read (ReeveUsageTable *self, GBytes *bytes, const ReeveUsageChoice *choice,
                        GError **error)
{
  ReeveUsageTableMerge merge = { self, choice };

  if (reeve_usage_table_read_rows (bytes, &merge))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "sums of usage are not what was written");
  return FALSE;
}
