/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registers the plugin tool-hello, and does nothing else: what can fail belongs into the setup of a
 * type. */
#include "hello-tool.h"

static const GType *
hello_plugin_query_types (void)
{
  static GType types[2];

  types[0] = HELLO_TYPE_TOOL;
  return types;
}

REEVE_DEFINE_PLUGIN ("tool-hello", "0.1.0", hello_plugin_query_types);
