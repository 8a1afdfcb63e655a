/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHttpPlace: an address as a client needs it: checked, parsed, and as it stands in a request.
 * Most requests of a client go to few addresses, so it remembers them. */
#pragma once

#include <gio/gio.h>

#include "http-trust.h"

G_BEGIN_DECLS

typedef struct
{
  GUri *uri;
  ReeveHttpTrust *trust; /* what `key` was made with; compared, never looked into */
  char *key;             /* of the origin */
  char *target;          /* what follows the method: rest of the request line, and `Host` */
} ReeveHttpPlace;

/* (transfer full): those that a client remembers; by g_hash_table_unref() */
GHashTable *reeve_http_place_table_new (void);
ReeveHttpPlace *reeve_http_place_find (GHashTable *table, const char *url, ReeveHttpTrust *trust,
                                       GError **error);
void reeve_http_place_unref (ReeveHttpPlace *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveHttpPlace, reeve_http_place_unref)

G_END_DECLS
