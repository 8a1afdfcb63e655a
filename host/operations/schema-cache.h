/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveSchemaCache: the validators of the table's schemas, each made when it is first needed. */
#pragma once

#include "operation.h"

G_BEGIN_DECLS

typedef struct _ReeveSchemaCache ReeveSchemaCache;

ReeveSchemaCache *reeve_schema_cache_new (const ReeveOperation *operations);
void reeve_schema_cache_free (ReeveSchemaCache *self);
/* Any thread. (transfer none): lives as long as the cache. node: one of the table's */
ReeveSchema *reeve_schema_cache_get (ReeveSchemaCache *self, const ReeveSchemaNode *node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveSchemaCache, reeve_schema_cache_free)

G_END_DECLS
