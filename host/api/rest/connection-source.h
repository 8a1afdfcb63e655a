/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What waits until a connection can be read or written. */
#pragma once

#include "connection.h"

G_BEGIN_DECLS

/* (transfer full): a source without a descriptor; the poller's finds it ready. The child of a
 * stream's source. */
GSource *reeve_rest_connection_source_new (ReeveRestConnection *connection, gboolean writing);

G_END_DECLS
