/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetTcp: capability `net.tcp`: connections to the places that an administrator granted, and
 * to no others. Each is its call's: it ends with that, with the grant, with the plugin's process,
 * and when plugin or tenant are stopped. */
#pragma once

#include "base/metrics.h"
#include "governance/tenants.h"
#include "loader/capabilities.h"
#include "loader/registry.h"
#include "net-records.h"

G_BEGIN_DECLS

/* of a grant that does not say, in each tenant */
#define REEVE_NET_TCP_CONNECTIONS 16
/* of one plugin that are not made as yet: each keeps a worker waiting */
#define REEVE_NET_TCP_PENDING 4
/* of one plugin, and of the host */
#define REEVE_NET_TCP_PLUGIN 256
#define REEVE_NET_TCP_ALL    1024
/* how long a server has to accept */
#define REEVE_NET_TCP_CONNECT_SECONDS 10

typedef struct _ReeveNetTcp ReeveNetTcp;

/* What it asks and tells; each is nullable, and outlives it. */
typedef struct
{
  ReeveRegistry *registry; /* is the plugin disabled? */
  ReeveTenants *tenants;   /* is the tenant suspended? */
  ReeveMetrics *metrics;
  ReeveNetRecords *records; /* where are connections recorded? */
} ReeveNetTcpSetup;

ReeveNetTcp *reeve_net_tcp_new (const ReeveNetTcpSetup *setup) G_GNUC_WARN_UNUSED_RESULT;
/* Before plugins are called; @self outlives @capabilities. */
void reeve_net_tcp_provide (ReeveNetTcp *self, ReeveCapabilities *capabilities);
/* A #ReeveCapabilityTcpFunc of which @user_data is a #ReeveNetTcp. */
int reeve_net_tcp_perform (const ReeveCapabilityCaller *caller, const char *host, guint16 port,
                           gpointer user_data, GError **error);
/* Closes what a plugin has open; what a tenant has. Any thread, does not block. */
void reeve_net_tcp_cut_plugin (ReeveNetTcp *self, const char *plugin_id);
void reeve_net_tcp_cut_tenant (ReeveNetTcp *self, const char *tenant_id);
/* How many there are, those that are not made as yet too. */
guint reeve_net_tcp_count (ReeveNetTcp *self);
/* Closes all there are and refuses what comes. Twice is as once. */
void reeve_net_tcp_shutdown (ReeveNetTcp *self);
void reeve_net_tcp_free (ReeveNetTcp *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveNetTcp, reeve_net_tcp_free)

G_END_DECLS
