/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestWriter: what libsoup writes to a connection. */
#pragma once

#include "connection.h"

G_BEGIN_DECLS

#define REEVE_REST_TYPE_WRITER (reeve_rest_writer_get_type ())
G_DECLARE_FINAL_TYPE (ReeveRestWriter, reeve_rest_writer, REEVE_REST, WRITER, GOutputStream)

GOutputStream *reeve_rest_writer_new (ReeveRestConnection *connection);
void reeve_rest_writer_let_go (GOutputStream *stream);

G_END_DECLS
