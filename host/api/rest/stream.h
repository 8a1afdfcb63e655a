/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestStream: a connection as libsoup takes it. */
#pragma once

#include "connection.h"

G_BEGIN_DECLS

#define REEVE_REST_TYPE_STREAM (reeve_rest_stream_get_type ())
G_DECLARE_FINAL_TYPE (ReeveRestStream, reeve_rest_stream, REEVE_REST, STREAM, GIOStream)

GIOStream *reeve_rest_stream_new (ReeveRestConnection *connection);

G_END_DECLS
