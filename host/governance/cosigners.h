/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCosigners: the public keys of witnesses, and what of a signed note they have cosigned.
 * Immutable, any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* as many signatures as a checkpoint of REEVE_CHECKPOINT_MAX_SIZE surely holds */
#define REEVE_COSIGNERS_MAX 16

typedef struct _ReeveCosigners ReeveCosigners;

ReeveCosigners *reeve_cosigners_new (const char *const *vkeys, GError **error);
void reeve_cosigners_free (ReeveCosigners *self);
guint reeve_cosigners_count (const ReeveCosigners *self);
const char *reeve_cosigners_get_name (const ReeveCosigners *self, guint number);
guint64 reeve_cosigners_check_line (const ReeveCosigners *self, guint number, const char *body,
                                    const char *line, GError **error);
gboolean reeve_cosigners_find (const ReeveCosigners *self, const char *line, guint *number);
gboolean reeve_cosigners_check (const ReeveCosigners *self, const char *note, guint64 *times,
                                GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCosigners, reeve_cosigners_free)

G_END_DECLS
