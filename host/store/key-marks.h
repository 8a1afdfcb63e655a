/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveKeyMarks: how far each scope was acknowledged, in one file. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define REEVE_KEY_MARKS_KEY 32

typedef struct _ReeveKeyMarks ReeveKeyMarks;

/* key: authenticates the marks; fresh: the file is made, and must not be there yet */
ReeveKeyMarks *reeve_key_marks_open (const char *path, const guint8 *key, gboolean fresh,
                                     GError **error);
void reeve_key_marks_free (ReeveKeyMarks *self);
/* Thread-safe. All zero when there is none. */
void reeve_key_marks_read (ReeveKeyMarks *self, const char *scope, ReeveStorageMark *mark);
gboolean reeve_key_marks_write (ReeveKeyMarks *self, const char *scope,
                                const ReeveStorageMark *mark, gboolean durable, GError **error);
gboolean reeve_key_marks_forget (ReeveKeyMarks *self, const char *scope, GError **error);
gboolean reeve_key_marks_is_set (const ReeveStorageMark *mark);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveKeyMarks, reeve_key_marks_free)

G_END_DECLS
