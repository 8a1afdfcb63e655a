/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tools that all plugins offer. */
#include "operation-functions.h"
#include "page.h"

void
reeve_op_tools_list (ReeveCall *call, ReeveServices *services)
{
  reeve_page_answer (call, reeve_tools_list (services->tools));
}
