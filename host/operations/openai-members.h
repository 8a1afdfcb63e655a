/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which members a caller's own body may have. It goes to the service as it came, but for the values
 * of some: so the service must not find these, or others that do what they do, anywhere else in it.
 */
#pragma once

#include <reeve-error.h>

G_BEGIN_DECLS

/* @data: an object that reeve_json_find_members() found good. FALSE, %REEVE_ERROR_INVALID_ARGUMENT:
 * it names other models, or has a member twice for a service that reads names in any case. */
gboolean reeve_openai_members_check (const char *data, gsize length,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
