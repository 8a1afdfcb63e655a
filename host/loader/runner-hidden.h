/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process holds of files that were removed: they lie nowhere, and take room on the disk. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes of files removed below folder @path (absolute, without links) that @pid has open (what they
 * take), or mapped and not open (the length of that). 0, too, where this process may not look:
 * another user's, or one that nobody looks into, without CAP_SYS_PTRACE; what is mapped stands in
 * @maps then too, where that was opened in time (-1: it was not). Blocks. */
guint64 reeve_runner_hidden_measure (GPid pid, int maps, const char *path);

G_END_DECLS
