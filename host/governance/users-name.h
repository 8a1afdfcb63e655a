/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of users: which there may be, and which are one and the same. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full): equal for names that are told apart by case, width or form only */
char *reeve_users_name_fold (const char *username);
/* May that character stand in a name? */
gboolean reeve_users_name_may_have (gunichar c);
/* %REEVE_ERROR_INVALID_ARGUMENT naming the first character that may not */
gboolean reeve_users_name_check (const char *username, GError **error);

G_END_DECLS
