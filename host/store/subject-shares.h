/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One half of each subject's key, in the folder of keys; the other is in the tenant's store. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_SUBJECT_SHARES_SIZE 32

/* Worker threads only: these block for small files. folder: <state>/keys. */
/* REEVE_ERROR_NOT_FOUND: it was destroyed, or never was */
gboolean reeve_subject_shares_load (const char *folder, const char *scope, const char *subject,
                                    guint generation, guint8 share[REEVE_SUBJECT_SHARES_SIZE],
                                    GError **error);
/* Random; the one that is there when there is one. */
gboolean reeve_subject_shares_make (const char *folder, const char *scope, const char *subject,
                                    guint generation, guint8 share[REEVE_SUBJECT_SHARES_SIZE],
                                    GError **error);
/* Overwritten, removed, durable; one that is not there is no error. */
gboolean reeve_subject_shares_destroy (const char *folder, const char *scope, const char *subject,
                                       guint generation, GError **error);
/* Those of all subjects of a tenant. */
gboolean reeve_subject_shares_destroy_scope (const char *folder, const char *scope, GError **error);

G_END_DECLS
