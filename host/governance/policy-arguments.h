/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an argument of a call could be, by its name and its text: a path, an address, a plain
 * command. In doubt it could. Pure. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* @name: of the member, of the nearest one for what lies in a list */
gboolean reeve_policy_arguments_may_be_path (const char *name, const char *text);
gboolean reeve_policy_arguments_may_be_address (const char *name, const char *text);
/* By the text alone: for the name of a member of what @name holds. */
gboolean reeve_policy_arguments_looks_like (const char *name, const char *text, gboolean path);

/* Whether a command is certainly one program with its arguments and no other. */
gboolean reeve_policy_arguments_is_plain_command (const char *text);
/* (transfer full) (array zero-terminated=1): as which it is held against what is blocked: blanks as
 * one, without the folder of the program, in lower case. */
char **reeve_policy_arguments_spell_command (const char *text);

G_END_DECLS
