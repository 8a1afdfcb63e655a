/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestReader: what libsoup reads of a connection. */
#pragma once

#include "connection.h"

G_BEGIN_DECLS

#define REEVE_REST_TYPE_READER (reeve_rest_reader_get_type ())
G_DECLARE_FINAL_TYPE (ReeveRestReader, reeve_rest_reader, REEVE_REST, READER, GInputStream)

GInputStream *reeve_rest_reader_new (ReeveRestConnection *connection);
void reeve_rest_reader_let_go (GInputStream *stream);

G_END_DECLS
