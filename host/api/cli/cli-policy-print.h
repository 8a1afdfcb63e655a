/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers about policies as people read them. */
#pragma once

#include <reeve-json.h>

G_BEGIN_DECLS

/* changes of policies; @lines: with what differs */
void reeve_cli_policy_print_changes (JsonObject *answer, gboolean lines);
/* what is newly allowed, denied, asked for */
void reeve_cli_policy_print_decisions (JsonObject *answer);
/* who can do an operation */
void reeve_cli_policy_print_access (JsonObject *access);

G_END_DECLS
