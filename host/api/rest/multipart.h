/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forms with files: from a body to the parts of a call. */
#pragma once

#include "operations/call.h"

G_BEGIN_DECLS

#define REEVE_REST_MULTIPART_MAX_PARTS 16

/* Adds what the body holds to the call; a malformed form adds nothing, and the gate says so.
 * media_type: (nullable) the header, with its boundary. */
void reeve_rest_multipart_read (ReeveCall *call, const char *media_type, GBytes *body);

G_END_DECLS
