/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The content of one scope: an ordered map whose changes can be undone. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* One value; which members mean something depends on what it is of. Immutable once it is in a map.
 */
typedef struct
{
  gatomicrefcount refs;
  gint64 number; /* revision, counter, last number of a stream, lease */
  gint64 due;    /* of a queue item */
  gint64 order;  /* of a queue item: when it was pushed */
  guint attempts;
  char *id;    /* record, item or text key as it was given */
  char *group; /* of a text */
  char *title;
  char *text; /* of a text; JSON of a record */
  char *data; /* JSON of a text's data */
  GBytes *bytes;
} MemoryValue;

typedef struct _MemoryMap MemoryMap;

/* TRUE stops */
typedef gboolean (*MemoryMapFunc) (const char *key, MemoryValue *value, gpointer user_data);

MemoryValue *memory_map_value_new (void);
MemoryValue *memory_map_value_ref (MemoryValue *value);
void memory_map_value_unref (MemoryValue *value);

MemoryMap *memory_map_new (void);
void memory_map_free (MemoryMap *self);
char *memory_map_key (char kind, const char *first, const char *second, const char *third);
MemoryValue *memory_map_get (MemoryMap *self, const char *key);
void memory_map_set (MemoryMap *self, const char *key, MemoryValue *value);
void memory_map_each (MemoryMap *self, const char *prefix, MemoryMapFunc func, gpointer user_data);
guint memory_map_remove_prefix (MemoryMap *self, const char *prefix);
void memory_map_begin (MemoryMap *self);
void memory_map_end (MemoryMap *self, gboolean keep);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MemoryValue, memory_map_value_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MemoryMap, memory_map_free)

G_END_DECLS
