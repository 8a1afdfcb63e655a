/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A test program that runs itself as a child: under faults, or to be killed. */
#pragma once

#include "fault-control.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct _FaultChild FaultChild;

/* A place for children with faults below @root; with NULL, without faults. */
FaultChild *fault_child_new (const char *root);
void fault_child_free (FaultChild *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FaultChild, fault_child_free)

/* The next child, or the one that runs, meets @kind from the @first to the @last of @calls on files
 * whose path contains @path (NULL: any). */
void fault_child_arm (FaultChild *self, FaultKind kind, guint calls, const char *path, guint first,
                      guint last);
const FaultControl *fault_child_get_control (FaultChild *self);

/* What it prints comes back whole; *status as waitpid() gives it, *errors what went to stderr. */
char *fault_child_run (FaultChild *self, const char *const *arguments, int *status, char **errors);

/* As fault_child_run(), but the child is killed @delay_us after its first output. It must still run
 * then. */
char *fault_child_run_and_kill (FaultChild *self, const char *const *arguments, guint delay_us);

G_END_DECLS
