/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetHttp: capability `net.http`: HTTP requests that plugins describe, checked by the guard
 * and performed by the host. A plugin never opens a socket. */
#pragma once

#include "governance/plugin-secrets.h"
#include "loader/capabilities.h"
#include "http-trust.h"
#include "net-records.h"
#include "propagation.h"

G_BEGIN_DECLS

typedef struct _ReeveNetHttp ReeveNetHttp;

ReeveNetHttp *reeve_net_http_new (ReeveHttpTrust *trust);
/* Before the first request: (nullable): which origins are told of the trace; outlives it. */
void reeve_net_http_set_propagation (ReeveNetHttp *self, ReevePropagation *propagation);
/* Before the first request: what is in slots of the store; outlives it. */
void reeve_net_http_set_secrets (ReeveNetHttp *self, ReevePluginSecrets *secrets);
/* Before the first request: (nullable): where connections are recorded; outlives it. */
void reeve_net_http_set_records (ReeveNetHttp *self, ReeveNetRecords *records);
void reeve_net_http_shutdown (ReeveNetHttp *self);
void reeve_net_http_free (ReeveNetHttp *self);
/* (transfer full) addresses in an instance's settings (nullable): each grants its origin */
char **reeve_net_http_dup_origins (JsonObject *settings);
/* a ReeveCapabilityHttpFunc; user_data is a ReeveNetHttp */
ReeveHttpResponse *reeve_net_http_perform (const ReeveCapabilityCaller *caller,
                                           ReeveHttpRequest *request, gpointer user_data,
                                           GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveNetHttp, reeve_net_http_free)

G_END_DECLS
