/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Offers MemoryStorage. */
#include "memory-storage.h"

static const GType *
memory_plugin_query_types (void)
{
  static GType types[2];

  types[0] = MEMORY_TYPE_STORAGE;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("storage-memory", REEVE_VERSION, memory_plugin_query_types);
