/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CheckAnswer: a model's answer put together from its pieces, so that two ways of cutting it can be
 * compared. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct _CheckAnswer CheckAnswer;

CheckAnswer *check_answer_new (void);
void check_answer_free (CheckAnswer *self);
/* a ReeveLlmDeltaFunc; user_data is the CheckAnswer */
gboolean check_answer_add (const ReeveLlmDelta *delta, gpointer user_data, GError **error);
/* (nullable): what is wrong with the pieces so far */
const char *check_answer_get_fault (CheckAnswer *self);
guint check_answer_get_n_pieces (CheckAnswer *self);
/* from now on the answer is refused with REEVE_ERROR_CANCELLED */
void check_answer_stop (CheckAnswer *self);
/* (transfer full): the same text for the same answer, however it was cut */
char *check_answer_describe (CheckAnswer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CheckAnswer, check_answer_free)

G_END_DECLS
