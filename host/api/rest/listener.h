/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestListener: one bound and listening socket, shared by all API threads. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  int fd;
  gboolean encrypted;
  char *url; /* http://ADDR:PORT or https://…, with the port that was picked */
} ReeveRestListener;

/* address: as in server.listen; tls: whether there is a certificate. REEVE_ERROR_CONFIGURATION when
 * malformed, REEVE_ERROR_ALREADY_EXISTS when it is taken, REEVE_ERROR_UNAVAILABLE. */
ReeveRestListener *reeve_rest_listener_new (const char *address, gboolean tls, GError **error);
void reeve_rest_listener_free (ReeveRestListener *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestListener, reeve_rest_listener_free)

G_END_DECLS
