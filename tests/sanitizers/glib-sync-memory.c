/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of glib-sync about memory. What GLib allocates, frees and copies inside of itself the
 * sanitizer is told to pass over (called_from_lib in tsan.supp): it happens under locks that GLib
 * takes inline. So that our own mistakes are found all the same, what our code, and each other
 * library, asks GLib to allocate, free or copy is done here, and what it does to a container is
 * reported as one access to that container. */

#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>

#include "glib-sync.h"

/* ---- memory: GLib's own is the system's, too ---- */

static gpointer
sync_memory_checked (gpointer memory, gsize size)
{
  if (memory == NULL && size > 0)
    g_error ("failed to allocate %" G_GSIZE_FORMAT " bytes", size);
  return memory;
}

static gsize
sync_memory_times (gsize count, gsize size)
{
  if (size > 0 && count > G_MAXSIZE / size)
    g_error ("failed to allocate %" G_GSIZE_FORMAT " times %" G_GSIZE_FORMAT " bytes", count, size);
  return count * size;
}

gpointer (g_malloc) (gsize size)
{
  return size > 0 ? sync_memory_checked (malloc (size), size) : NULL;
}

gpointer (g_malloc0) (gsize size)
{
  return size > 0 ? sync_memory_checked (calloc (1, size), size) : NULL;
}

gpointer (g_realloc) (gpointer memory, gsize size)
{
  if (size > 0)
    return sync_memory_checked (realloc (memory, size), size);
  free (memory);
  return NULL;
}

gpointer (g_try_malloc) (gsize size)
{
  return size > 0 ? malloc (size) : NULL;
}

gpointer (g_malloc_n) (gsize count, gsize size)
{
  return (g_malloc) (sync_memory_times (count, size));
}

gpointer (g_malloc0_n) (gsize count, gsize size)
{
  return (g_malloc0) (sync_memory_times (count, size));
}

gpointer (g_realloc_n) (gpointer memory, gsize count, gsize size)
{
  return (g_realloc) (memory, sync_memory_times (count, size));
}

void (g_free) (gpointer memory)
{
  free (memory);
}

gpointer (g_memdup2) (gconstpointer memory, gsize size)
{
  return memory != NULL && size > 0 ? memcpy ((g_malloc) (size), memory, size) : NULL;
}

char *(g_strdup) (const char *text)
{
  return (g_memdup2) (text, text != NULL ? strlen (text) + 1 : 0);
}

void (g_error_free) (GError *error)
{
  sync_write_range (error->message, strlen (error->message) + 1);
  sync_write_range (error, sizeof *error);
  REAL (g_error_free) (error);
}

void (g_strfreev) (char **texts)
{
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    sync_write_range (texts[i], strlen (texts[i]) + 1);
  sync_write (texts);
  REAL (g_strfreev) (texts);
}

char *(g_string_free) (GString *string, gboolean free_segment)
{
  if (free_segment)
    sync_write_range (string->str, string->allocated_len);
  sync_write_range (string, sizeof *string);
  return REAL (g_string_free) (string, free_segment);
}

/* ---- containers ---- */

/* A function whose first parameter, @self, is the container. What changes one writes its first two
 * members (memory and length, head and tail), which our own code reads without a call. */
#define READS(result, name, params, ...)                                                           \
  result (name) params                                                                             \
  {                                                                                                \
    sync_read (self);                                                                              \
    return REAL (name) (__VA_ARGS__);                                                              \
  }
#define WRITES(result, name, params, ...)                                                          \
  result (name) params                                                                             \
  {                                                                                                \
    sync_write_range (self, 2 * sizeof (gpointer));                                                \
    return REAL (name) (__VA_ARGS__);                                                              \
  }

READS (gpointer, g_hash_table_lookup, (GHashTable * self, gconstpointer key), self, key)
READS (gboolean, g_hash_table_lookup_extended,
       (GHashTable * self, gconstpointer key, gpointer *found, gpointer *value), self, key, found,
       value)
READS (gboolean, g_hash_table_contains, (GHashTable * self, gconstpointer key), self, key)
READS (guint, g_hash_table_size, (GHashTable * self), self)
READS (void, g_hash_table_foreach, (GHashTable * self, GHFunc func, gpointer data), self, func,
       data)
READS (GList *, g_hash_table_get_keys, (GHashTable * self), self)
READS (GList *, g_hash_table_get_values, (GHashTable * self), self)
READS (gpointer *, g_hash_table_get_keys_as_array, (GHashTable * self, guint *length), self, length)
WRITES (gboolean, g_hash_table_insert, (GHashTable * self, gpointer key, gpointer value), self, key,
        value)
WRITES (gboolean, g_hash_table_replace, (GHashTable * self, gpointer key, gpointer value), self,
        key, value)
WRITES (gboolean, g_hash_table_add, (GHashTable * self, gpointer key), self, key)
WRITES (gboolean, g_hash_table_remove, (GHashTable * self, gconstpointer key), self, key)
WRITES (gboolean, g_hash_table_steal, (GHashTable * self, gconstpointer key), self, key)
WRITES (gboolean, g_hash_table_steal_extended,
        (GHashTable * self, gconstpointer key, gpointer *found, gpointer *value), self, key, found,
        value)
WRITES (void, g_hash_table_remove_all, (GHashTable * self), self)
WRITES (void, g_hash_table_steal_all, (GHashTable * self), self)
WRITES (guint, g_hash_table_foreach_remove, (GHashTable * self, GHRFunc func, gpointer data), self,
        func, data)
WRITES (guint, g_hash_table_foreach_steal, (GHashTable * self, GHRFunc func, gpointer data), self,
        func, data)

void (g_hash_table_iter_init) (GHashTableIter *iter, GHashTable *table)
{
  sync_read (table);
  REAL (g_hash_table_iter_init) (iter, table);
}

/* an iterator's first member is its table */
void (g_hash_table_iter_remove) (GHashTableIter *iter)
{
  sync_write (iter->dummy1);
  REAL (g_hash_table_iter_remove) (iter);
}

WRITES (void, g_ptr_array_add, (GPtrArray * self, gpointer item), self, item)
WRITES (void, g_ptr_array_insert, (GPtrArray * self, int index, gpointer item), self, index, item)
WRITES (gboolean, g_ptr_array_remove, (GPtrArray * self, gpointer item), self, item)
WRITES (gboolean, g_ptr_array_remove_fast, (GPtrArray * self, gpointer item), self, item)
WRITES (gpointer, g_ptr_array_remove_index, (GPtrArray * self, guint index), self, index)
WRITES (gpointer, g_ptr_array_remove_index_fast, (GPtrArray * self, guint index), self, index)
WRITES (gpointer, g_ptr_array_steal_index, (GPtrArray * self, guint index), self, index)
WRITES (gpointer, g_ptr_array_steal_index_fast, (GPtrArray * self, guint index), self, index)
WRITES (gpointer *, g_ptr_array_steal, (GPtrArray * self, gsize *length), self, length)
WRITES (void, g_ptr_array_set_size, (GPtrArray * self, int length), self, length)
WRITES (void, g_ptr_array_sort, (GPtrArray * self, GCompareFunc func), self, func)

WRITES (GArray *, g_array_append_vals, (GArray * self, gconstpointer data, guint length), self,
        data, length)
WRITES (GArray *, g_array_remove_index, (GArray * self, guint index), self, index)
WRITES (GArray *, g_array_remove_range, (GArray * self, guint index, guint length), self, index,
        length)
WRITES (GArray *, g_array_set_size, (GArray * self, guint length), self, length)
WRITES (GByteArray *, g_byte_array_append, (GByteArray * self, const guint8 *data, guint length),
        self, data, length)
WRITES (GByteArray *, g_byte_array_remove_range, (GByteArray * self, guint index, guint length),
        self, index, length)
WRITES (GByteArray *, g_byte_array_set_size, (GByteArray * self, guint length), self, length)

WRITES (GString *, g_string_append, (GString * self, const char *text), self, text)
WRITES (GString *, g_string_append_len, (GString * self, const char *text, gssize length), self,
        text, length)
WRITES (GString *, g_string_append_c, (GString * self, char letter), self, letter)
WRITES (GString *, g_string_truncate, (GString * self, gsize length), self, length)
WRITES (GString *, g_string_erase, (GString * self, gssize start, gssize length), self, start,
        length)
WRITES (GString *, g_string_assign, (GString * self, const char *text), self, text)

READS (gboolean, g_queue_is_empty, (GQueue * self), self)
READS (guint, g_queue_get_length, (GQueue * self), self)
READS (gpointer, g_queue_peek_head, (GQueue * self), self)
READS (gpointer, g_queue_peek_tail, (GQueue * self), self)
READS (GList *, g_queue_peek_head_link, (GQueue * self), self)
WRITES (void, g_queue_push_head, (GQueue * self, gpointer item), self, item)
WRITES (void, g_queue_push_tail, (GQueue * self, gpointer item), self, item)
WRITES (gpointer, g_queue_pop_head, (GQueue * self), self)
WRITES (gpointer, g_queue_pop_tail, (GQueue * self), self)
WRITES (gboolean, g_queue_remove, (GQueue * self, gconstpointer item), self, item)
WRITES (void, g_queue_push_tail_link, (GQueue * self, GList *link), self, link)
WRITES (void, g_queue_push_head_link, (GQueue * self, GList *link), self, link)
WRITES (void, g_queue_unlink, (GQueue * self, GList *link), self, link)
WRITES (void, g_queue_delete_link, (GQueue * self, GList *link), self, link)
WRITES (void, g_queue_clear, (GQueue * self), self)

/* ---- reference counts that are not atomic: taking or dropping a reference is a write, and two
 * threads may not do so at the same time ---- */

WRITES (JsonObject *, json_object_ref, (JsonObject * self), self)
WRITES (void, json_object_unref, (JsonObject * self), self)
WRITES (JsonArray *, json_array_ref, (JsonArray * self), self)
WRITES (void, json_array_unref, (JsonArray * self), self)
