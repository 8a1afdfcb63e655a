/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tool semantic_search. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define SEARCH_TYPE_TOOL (search_tool_get_type ())

G_DECLARE_FINAL_TYPE (SearchTool, search_tool, SEARCH, TOOL, ReevePlugin)

G_END_DECLS
