/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveConfinement: what this machine's kernel lets a plugin be confined by, found out by doing it.
 * Any thread. */
#pragma once

#include <reeve-plugin-1.h>

#include "runner/runner-layers.h"

G_BEGIN_DECLS

typedef struct _ReeveConfinement ReeveConfinement;

/* first user id of those that a root host gives to plugins: above what containers are given
 * (524288 to 1879048191), below what foreign systems have */
#define REEVE_CONFINEMENT_FIRST_UID 1879048192u

/* @runner: (nullable): full path of reeve-plugin-runner; %NULL: the build tree's when this program
 * runs from there, else the installed one. @cgroup: as reeve_runner_groups_new(). Blocks. */
ReeveConfinement *reeve_confinement_new (const char *runner,
                                         const char *cgroup) G_GNUC_WARN_UNUSED_RESULT;
void reeve_confinement_free (ReeveConfinement *self);

/* (transfer full): @runner, or the program that it stands for */
char *reeve_confinement_find_runner (const char *runner);

/* @map: what uid_map of the host's user namespace says. Returns @first, or where a container has no
 * such users the first of the last that it has; @first again where it has too few. */
guint32 reeve_confinement_choose_uid (const char *map, guint32 first);
/* That, of this process. Blocks. */
guint32 reeve_confinement_find_uid (guint32 first);

/* Puts on all that @profile has, in a process that ends at once. Blocks, some milliseconds.
 * @missing: (out) (transfer full): what could not be put on, one line each with the kernel's answer
 * and the remedy; "" when nothing. Returns whether all that is required is there;
 * %REEVE_ERROR_PLUGIN where it could not be tried. */
gboolean reeve_confinement_probe (ReeveConfinement *self, RunnerLayersProfile profile,
                                  char **missing, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveConfinement, reeve_confinement_free)

G_END_DECLS
