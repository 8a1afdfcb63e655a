/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Folders that somebody else filled, with whatever he liked: counted and removed without following
 * a link, and however deep they are. Blocks. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What is below a folder. */
typedef struct
{
  guint64 bytes; /* that it takes on its disk */
  guint64 files; /* and folders and all else, without itself */
} RunnerTreeSize;

/* FALSE, with what was counted so far: it has more than @most files, or more than 32 folders in one
 * another, or cannot be read (errno). One that is not there is empty. */
gboolean runner_tree_measure (const char *path, guint64 most, RunnerTreeSize *size);
/* With all that is in it, its modes notwithstanding, as far as this process may; nothing there is
 * as good. FALSE: errno. Nobody else changes it meanwhile. */
gboolean runner_tree_remove (const char *path);

G_END_DECLS
