/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetGuard: which addresses a request that an agent or a document chose may reach. Pure but
 * for the look-up of names, which is done once: what was checked is what is connected to. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* Why an address is not public; NONE: it is. */
typedef enum
{
  REEVE_NET_GUARD_NONE,
  REEVE_NET_GUARD_UNSPECIFIED,
  REEVE_NET_GUARD_LOOPBACK,
  REEVE_NET_GUARD_PRIVATE,
  REEVE_NET_GUARD_SHARED, /* carrier-grade NAT */
  REEVE_NET_GUARD_LINK_LOCAL,
  REEVE_NET_GUARD_METADATA, /* of a cloud */
  REEVE_NET_GUARD_MULTICAST,
  REEVE_NET_GUARD_RESERVED
} ReeveNetGuardRange;

/* An address taken apart: host is lower case, without brackets, dot at the end and zone. */
typedef struct
{
  char *scheme;
  char *host;
  guint16 port;
  char *origin;          /* scheme://host:port */
  GInetAddress *literal; /* (nullable): when the host is an address in whatever form */
} ReeveNetGuardTarget;

ReeveNetGuardRange reeve_net_guard_classify (GInetAddress *address);
const char *reeve_net_guard_range_get_name (ReeveNetGuardRange range);
GInetAddress *reeve_net_guard_parse_address (const char *host);
ReeveNetGuardTarget *reeve_net_guard_target_new (const char *url, GError **error);
void reeve_net_guard_target_free (ReeveNetGuardTarget *self);
gboolean reeve_net_guard_is_granted (const ReeveNetGuardTarget *target, const char *const *origins);
gboolean reeve_net_guard_check_name (const ReeveNetGuardTarget *target, GError **error);
gboolean reeve_net_guard_check_addresses (const ReeveNetGuardTarget *target, GPtrArray *addresses,
                                          GError **error);
GPtrArray *reeve_net_guard_resolve (const char *url, const char *const *origins,
                                    GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveNetGuardTarget, reeve_net_guard_target_free)

G_END_DECLS
