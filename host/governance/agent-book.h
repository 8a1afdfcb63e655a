/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveAgentBook: what the agents that run just now may do, for the gate to ask at every effect.
 * Any thread; does not block. */
#pragma once

#include "admission.h"

G_BEGIN_DECLS

typedef enum
{
  REEVE_AGENT_EXECUTOR, /* models and tools */
  REEVE_AGENT_PLANNER,  /* models, no tool */
  REEVE_AGENT_REVIEWER, /* models, and tools that read */
  REEVE_AGENT_ADMIN     /* all */
} ReeveAgentRole;

typedef struct _ReeveAgentBook ReeveAgentBook;
/* Keeps an agent in the book. */
typedef struct _ReeveAgentHold ReeveAgentHold;

ReeveAgentBook *reeve_agent_book_new (void);
ReeveAgentBook *reeve_agent_book_ref (ReeveAgentBook *self);
void reeve_agent_book_unref (ReeveAgentBook *self);
/* From before the agent's record is read until the last of its effects. */
ReeveAgentHold *reeve_agent_book_hold (ReeveAgentBook *self, const char *tenant_id,
                                       const char *agent_id);
void reeve_agent_book_release (ReeveAgentHold *hold);
gboolean reeve_agent_book_is_active (ReeveAgentHold *hold);
/* What the record says; an older revision than the last is ignored, and so is an agent that nobody
 * holds. */
void reeve_agent_book_set (ReeveAgentBook *self, const char *tenant_id, const char *agent_id,
                           gint64 revision, const char *role, gboolean active);
/* May an agent of that role call a tool, which only reads or not? */
gboolean reeve_agent_book_may_call (const char *role, gboolean reads);
/* (nullable): name of the role of an agent that somebody holds and that is active */
const char *reeve_agent_book_find_role_name (ReeveAgentBook *self, const char *tenant_id,
                                             const char *agent_id);
/* The gate's checks at its stage authorise; each refuses with a reason of its own. */
void reeve_agent_book_guard (ReeveAgentBook *self, ReeveAdmission *admission);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveAgentBook, reeve_agent_book_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveAgentHold, reeve_agent_book_release)

G_END_DECLS
