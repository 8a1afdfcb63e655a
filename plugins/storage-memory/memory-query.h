/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers queries by looking at every record. */
#pragma once

#include "memory-scope.h"

G_BEGIN_DECLS

/* One record that passed the filters. */
typedef struct
{
  MemoryValue *value;
  JsonObject *fields;
} MemoryQueryRow;

ReeveQueryResult *memory_query_run (MemoryScope *scope, ReeveQuery *query, GError **error);
JsonNode *memory_query_get_field (const MemoryQueryRow *row, const char *name, ReeveFieldType type);
int memory_query_compare (ReeveFieldType type, JsonNode *left, JsonNode *right);
JsonObject *memory_query_parse (const char *text, GError **error);

G_END_DECLS
