/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireAuth: what stands before the first message on a runner's socket. Who it is the kernel
 * has said; here only the words are gone through. No I/O. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct
{
  const char *guid; /* of the server */
  guint lines;
  char line[128];
  gsize length;
  gboolean begun; /* the zero byte has come */
  gboolean known; /* EXTERNAL was accepted */
  gboolean done;  /* BEGIN has come: messages follow */
} ReeveWireAuth;

/* Takes bytes until it is done; returns how many it took. What is to be answered is added to
 * @answer. %REEVE_ERROR_PLUGIN with G_MAXSIZE */
gsize reeve_wire_auth_feed (ReeveWireAuth *self, const guint8 *data, gsize length, GString *answer,
                            GError **error);

G_END_DECLS
