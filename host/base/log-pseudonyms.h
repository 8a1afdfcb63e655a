/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands in log lines in the place of people's ids. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveLogPseudonyms ReeveLogPseudonyms;

ReeveLogPseudonyms *reeve_log_pseudonyms_new (void) G_GNUC_WARN_UNUSED_RESULT;
void reeve_log_pseudonyms_free (ReeveLogPseudonyms *self);
/* (transfer full): the pseudonym of an id. Any thread. */
char *reeve_log_pseudonyms_name (const ReeveLogPseudonyms *self,
                                 const char *id) G_GNUC_WARN_UNUSED_RESULT;
/* (transfer full): a text with pseudonyms for the ids that the host makes, and for @id (nullable).
 * Any thread. */
char *reeve_log_pseudonyms_replace (const ReeveLogPseudonyms *self, const char *text,
                                    const char *id) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLogPseudonyms, reeve_log_pseudonyms_free)

G_END_DECLS
