/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors on the wire: codes of REEVE_ERROR by name, texts short and clean. Both ways. */
#pragma once

#include <reeve-plugin-1.h>

#include "wire-letter.h"

G_BEGIN_DECLS

#define WIRE_ERROR_MAX_TEXT 2048 /* bytes; the rest is cut off */

/* (transfer full): `io.reeve.Error.InvalidArgument` */
char *wire_error_get_name (const GError *error);
/* (transfer full): what a peer says went wrong; a name that is none of ours is
 * %REEVE_ERROR_PLUGIN */
GError *wire_error_new (const char *name, const char *text);
/* (transfer full): the reply to the call with that serial */
WireLetter *wire_error_to_letter (guint32 serial, const GError *error);
/* (transfer full): @reply is of type error */
GError *wire_error_from_letter (WireLetter *reply);

G_END_DECLS
