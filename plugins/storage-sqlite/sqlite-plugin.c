/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Offers SqliteStorage. */
#include "sqlite-storage.h"

static const GType *
sqlite_plugin_query_types (void)
{
  static GType types[2];

  types[0] = SQLITE_TYPE_STORAGE;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("storage-sqlite", REEVE_VERSION, sqlite_plugin_query_types);
