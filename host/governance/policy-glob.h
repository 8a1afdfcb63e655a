/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Globs of policies, and the one form of paths and domains in which they are compared. Pure. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* Longest text that is compared; anything longer has no canonical form. */
#define REEVE_POLICY_GLOB_LONGEST 4096

/* `*` stands for any number of characters, `?` for one. */
gboolean reeve_policy_glob_match (const char *pattern, const char *text);
/* Does one glob mean all that another one means? Where it cannot be told simply: no. */
gboolean reeve_policy_glob_covers (const char *wide, const char *name);
gboolean reeve_policy_glob_has_wildcard (const char *pattern);
/* Both canonical. `*` and `?` stay within a segment, `**` does not; a last segment `*` means all
 * that lies below. */
gboolean reeve_policy_glob_match_path (const char *pattern, const char *path);
/* Both canonical. `*.x` means what lies below x and not x itself, `*` all. */
gboolean reeve_policy_glob_match_domain (const char *pattern, const char *domain);

/* (transfer full): without `.`, `..`, `//` and a trailing `/`. By the text alone: links are not
 * followed. %REEVE_ERROR_INVALID_ARGUMENT for what a tool might read otherwise. */
char *reeve_policy_glob_path (const char *text, GError **error);
/* (transfer full): lower case, punycode, no trailing dot, of a URL or of a host name with or
 * without a port. */
char *reeve_policy_glob_domain (const char *text, GError **error);
/* (transfer full): the same for a pattern: `*` and `*.` at its begin are kept. */
char *reeve_policy_glob_domain_pattern (const char *text, GError **error);

G_END_DECLS
