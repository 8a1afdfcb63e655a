/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One half of each subject's key, in the folder of keys; the other is in the tenant's store. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_SUBJECT_SHARES_SIZE 32

/* Worker threads only: these block for small files. folder: <state>/keys. */
/* Of one that was made. REEVE_ERROR_NOT_FOUND: it was destroyed. REEVE_ERROR_CORRUPT: it is damaged
 * or gone, and nobody destroyed it; says which file, and what to do. */
gboolean reeve_subject_shares_load (const char *folder, const char *scope, const char *subject,
                                    guint generation, guint8 share[REEVE_SUBJECT_SHARES_SIZE],
                                    GError **error);
gboolean reeve_subject_shares_is_erased (const char *folder, const char *scope, const char *subject,
                                         guint generation);
/* Or the half itself. */
gboolean reeve_subject_shares_exists (const char *folder, const char *scope, const char *subject,
                                      guint generation);
/* Random; the one that is there when there is one: then *found. */
gboolean reeve_subject_shares_make (const char *folder, const char *scope, const char *subject,
                                    guint generation, guint8 share[REEVE_SUBJECT_SHARES_SIZE],
                                    gboolean *found, GError **error);
/* Said to be destroyed, then overwritten and removed, each durable; one that is not there is no
 * error. */
gboolean reeve_subject_shares_destroy (const char *folder, const char *scope, const char *subject,
                                       guint generation, GError **error);
/* At the start: ends what was cut off. */
gboolean reeve_subject_shares_recover (const char *folder, GError **error);
/* Those of all subjects of a tenant. */
gboolean reeve_subject_shares_destroy_scope (const char *folder, const char *scope, GError **error);

G_END_DECLS
