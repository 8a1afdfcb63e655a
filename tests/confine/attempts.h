/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a plugin has no business with, tried one by one: the same code runs free, as control, and
 * confined. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One attempt; each leaves everything as it was. */
typedef struct
{
  const char *name;
  int (*make) (void); /* 0: it succeeded; else errno; NULL: as the attack of that name does */
  int strict;         /* what it answers under `strict`; 0: succeeds there too */
  int hardened;       /* and under `hardened` */
} Attempt;

extern const Attempt attempts[];
extern const guint n_attempts;

int attempts_make (guint number);
/* Prints a line `attempt NAME CODE` for each. */
void attempts_make_all (void);
/* Writes a library into @folder, and maps it as code: errno of what was refused, or 0. */
int attempts_run_from (const char *folder);

G_END_DECLS
