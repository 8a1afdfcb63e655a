/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registers the plugin tool-search. */
#include "search-tool.h"

static const GType *
search_plugin_query_types (void)
{
  static GType types[2];

  types[0] = SEARCH_TYPE_TOOL;
  return types;
}

REEVE_DEFINE_PLUGIN ("tool-search", "0.1.0", search_plugin_query_types);
