/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One scope: its content, its place among the migrations, its history. */
#pragma once

#include "memory-map.h"
#include "memory-schema.h"

G_BEGIN_DECLS

typedef struct
{
  MemoryMap *map;
  const ReeveMigration *migrations;
  guint number;
  GPtrArray *history; /* of JsonObject; never handed out */
  gint64 leases;      /* drawn so far */
  gint64 pushes;
} MemoryScope;

MemoryScope *memory_scope_new (const ReeveMigration *migrations);
void memory_scope_free (MemoryScope *self);
void memory_scope_migrate (MemoryScope *self, guint number);
GPtrArray *memory_scope_copy_history (MemoryScope *self);
ReeveBatchResult *memory_scope_apply (MemoryScope *self, ReeveBatch *batch, GError **error);

G_END_DECLS
