/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Not installed: holds what an interface function of a plugin returned against the rules for
 * errors. */
#pragma once

#include "reeve-error.h"

G_BEGIN_DECLS

gboolean reeve_outcome_settle (gboolean success, GError *problem, gpointer instance,
                               const char *function, GError **error);
void reeve_outcome_unsupported (gpointer instance, const char *function, GError **error);

G_END_DECLS
