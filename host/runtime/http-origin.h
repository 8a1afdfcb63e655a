/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHttpOrigin: the connections to one scheme, host and port, the calls that wait for one, and
 * its addresses. */
#pragma once

#include "http-call.h"

G_BEGIN_DECLS

typedef struct
{
  char *key;
  char *host;
  guint16 port;
  gboolean tls;
  ReeveHttpTrust *trust; /* when tls */
  GQueue idle;           /* of ReeveHttpConnection, the one used last first */
  GQueue waiting;        /* of ReeveHttpCall, in order */
  guint n_connections;
  guint warming;        /* connections that are opened ahead, for calls that will come */
  gboolean preparing;   /* names are looked up or certificates loaded */
  GPtrArray *addresses; /* (nullable) of GInetAddress */
  gint64 addresses_until;
} ReeveHttpOrigin;

/* (transfer full) (nullable): scheme, host and port of a URL, in one spelling; NULL: it is none */
char *reeve_http_origin_spell (const char *url);
char *reeve_http_origin_make_key (GUri *uri, ReeveHttpTrust *trust);
ReeveHttpOrigin *reeve_http_origin_new (const char *key, GUri *uri, ReeveHttpTrust *trust);
void reeve_http_origin_free (ReeveHttpOrigin *self);
gboolean reeve_http_origin_is_unused (ReeveHttpOrigin *self, gint64 now);
gboolean reeve_http_origin_is_ready (ReeveHttpOrigin *self, ReeveHttpCall *call, gint64 now);
void reeve_http_origin_prepare_async (ReeveHttpOrigin *self, ReeveHttpCall *call,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
GPtrArray *reeve_http_origin_prepare_finish (GAsyncResult *result, GError **error);
void reeve_http_origin_set_addresses (ReeveHttpOrigin *self, GPtrArray *addresses, gint64 now);
void reeve_http_origin_enqueue (ReeveHttpOrigin *self, ReeveHttpCall *call);
void reeve_http_origin_dequeue (ReeveHttpOrigin *self, ReeveHttpCall *call);

G_END_DECLS
