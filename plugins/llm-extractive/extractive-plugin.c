/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registers the plugin llm-extractive. */
#include "extractive-engine.h"

static const GType *
extractive_plugin_query_types (void)
{
  static GType types[2];

  types[0] = EXTRACTIVE_TYPE_ENGINE;
  return types;
}

REEVE_DEFINE_PLUGIN ("llm-extractive", "0.1.0", extractive_plugin_query_types);
