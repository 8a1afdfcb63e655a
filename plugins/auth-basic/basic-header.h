/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands in a header `Authorization: Basic`: base64 of `user:password` (RFC 7617). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BASIC_HEADER_MAX 4096 /* bytes of base64 */

typedef struct
{
  char *tenant; /* (nullable): none was named */
  char *user;
  char *password;
} BasicHeader;

/* FALSE: malformed; header is empty then */
gboolean basic_header_parse (BasicHeader *header, const char *token);
/* Overwrites the password. */
void basic_header_clear (BasicHeader *header);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BasicHeader, basic_header_clear)

G_END_DECLS
