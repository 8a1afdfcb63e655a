/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What schemas have looked at, for unevaluatedProperties and unevaluatedItems. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* which members or items of one instance schemas have looked at */
typedef struct
{
  GHashTable *names; /* NULL until one was */
  gboolean all;
  guint prefix;      /* items before this one */
  GHashTable *items; /* those that "contains" found */
} ReeveSchemaSeen;

void reeve_schema_seen_add_name (ReeveSchemaSeen *seen, const char *name);
void reeve_schema_seen_add_item (ReeveSchemaSeen *seen, guint index);
void reeve_schema_seen_merge (ReeveSchemaSeen *into, const ReeveSchemaSeen *from);
void reeve_schema_seen_clear (ReeveSchemaSeen *seen);

G_END_DECLS
