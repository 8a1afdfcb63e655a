/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one client may take of the HTTP door; from the section `server` of the configuration. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gsize max_body;        /* bytes of a request's body */
  gsize max_header;      /* bytes of a request's head */
  gsize max_unread;      /* bytes of a stream that its client has not read */
  gint64 keep_alive_us;  /* an idle connection stays so long */
  gint64 header_us;      /* from the first byte of a head to its last */
  gint64 body_us;        /* from the head to the last byte of the body, and a second more for each
                          * REEVE_REST_BOUNDS_STEP of it that has come */
  gint64 send_us;        /* for each REEVE_REST_BOUNDS_STEP of an answer */
  guint max_connections; /* of all threads together */
  guint max_per_address; /* the same, of one client's address */
} ReeveRestBounds;

#define REEVE_REST_BOUNDS_STEP (64 * 1024)

G_END_DECLS
