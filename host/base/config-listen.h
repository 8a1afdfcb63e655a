/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an entry of server.listen means: ADDR:PORT, http://ADDR:PORT or https://ADDR:PORT. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  const char *address; /* ADDR:PORT, in the text */
  gboolean encrypted;
  gboolean wants_tls; /* asked for by name */
  gboolean loopback;  /* reachable from this machine alone */
} ReeveConfigListen;

/* tls: whether there is a certificate; with one, only http:// is not encrypted */
ReeveConfigListen reeve_config_listen_read (const char *text, gboolean tls);

G_END_DECLS
