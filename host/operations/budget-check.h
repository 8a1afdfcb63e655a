/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every limit that a call would meet, to whoever asks before. */
#pragma once

#include "services.h"

#include "call.h"

G_BEGIN_DECLS

/* What would be called, and for whom. Everything is borrowed and nullable. */
typedef struct
{
  ReeveBudgetWho who;
  guint key_limit;       /* requests a minute of the key; 0: none of its own */
  const char *model;     /* that would be asked */
  const char *tool_name; /* a tool is called, and no model is asked */
  JsonObject *context;   /* of the tool: {arguments?, sandbox_level?, cost?} */
  gint64 tokens;
} ReeveBudgetCheck;

/* (transfer full) (nullable) */
JsonObject *reeve_budget_check_answer (ReeveCall *call, ReeveServices *services,
                                       const ReeveBudgetCheck *ask, GError **error);

G_END_DECLS
