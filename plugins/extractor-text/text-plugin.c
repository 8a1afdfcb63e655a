/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registers the plugin extractor-text. */
#include "text-extractor.h"

static const GType *
text_plugin_query_types (void)
{
  static GType types[2];

  types[0] = TEXT_TYPE_EXTRACTOR;
  return types;
}

REEVE_DEFINE_PLUGIN ("extractor-text", "0.1.0", text_plugin_query_types);
