/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HelloTool: the tool hello. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define HELLO_TYPE_TOOL (hello_tool_get_type ())
G_DECLARE_FINAL_TYPE (HelloTool, hello_tool, HELLO, TOOL, ReevePlugin)

G_END_DECLS
