/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCapabilities: which capabilities this host offers to plugins; higher rooms register their
 * providers at start. */
#pragma once

#include <reeve-plugin-1.h>

#include "byte-room.h"
#include "capability-lease.h"
#include "manifest.h"

G_BEGIN_DECLS

typedef struct _ReeveCapabilities ReeveCapabilities;

/* Which instance calls; valid during the call. */
typedef struct
{
  const char *plugin_id;
  const char *instance_id;
  JsonObject *settings; /* what the administrator configured for it */
  ReeveContext *context;
  ReeveCapabilityLease *lease; /* (nullable): nobody keeps grants here */
  ReeveManifest *manifest;     /* (nullable): no plugin calls */
  gpointer passage;            /* (nullable): of the broker's alone */
  ReeveByteRoom *room;         /* (nullable): nothing is counted */
  ReeveByteHold **held;        /* what the call holds of it; the broker's alone */
} ReeveCapabilityCaller;

/* Who decides about grants. @acquire: may that plugin call @capability for @tenant_id (nullable: a
 * call of the host itself)? With a lease for the duration of the call, or none where the capability
 * cannot be taken away; FALSE with REEVE_ERROR_CAPABILITY or REEVE_ERROR_CAPABILITY_REVOKED.
 * @release: (transfer full) the call is over. Any thread, no I/O. */
typedef struct
{
  gboolean (*acquire) (const char *plugin_id, const char *capability, const char *tenant_id,
                       gpointer user_data, ReeveCapabilityLease **lease, GError **error);
  void (*release) (ReeveCapabilityLease *lease, gpointer user_data);
} ReeveCapabilityGrants;

typedef JsonNode *(*ReeveCapabilityFunc) (const ReeveCapabilityCaller *caller, JsonNode *params,
                                          gpointer user_data, GError **error);
/* The same of a capability that takes or gives bytes. (nullable) @bytes; @content: (out)
 * (nullable): what comes with the answer; NULL: the caller can take none, as reeve_context_call()
 */
typedef JsonNode *(*ReeveCapabilityTransferFunc) (const ReeveCapabilityCaller *caller,
                                                  JsonNode *params, GBytes *bytes, GBytes **content,
                                                  gpointer user_data, GError **error);
typedef ReeveHttpResponse *(*ReeveCapabilityHttpFunc) (const ReeveCapabilityCaller *caller,
                                                       ReeveHttpRequest *request,
                                                       gpointer user_data, GError **error);

/* Opens a connection and returns the plugin's end of it, or -1. */
typedef int (*ReeveCapabilityTcpFunc) (const ReeveCapabilityCaller *caller, const char *host,
                                       guint16 port, gpointer user_data, GError **error);
/* The right that a call rests on, behind the call's end. */
typedef struct _ReeveCapabilityHold ReeveCapabilityHold;

ReeveCapabilities *reeve_capabilities_new (void) G_GNUC_WARN_UNUSED_RESULT;
ReeveCapabilities *reeve_capabilities_ref (ReeveCapabilities *self);
void reeve_capabilities_unref (ReeveCapabilities *self);

/* Before plugins are called; func is called on whatever thread the plugin runs, several at once.
 * user_data outlives self. */
void reeve_capabilities_provide (ReeveCapabilities *self, const char *name,
                                 ReeveCapabilityFunc func, gpointer user_data);
/* the same */
void reeve_capabilities_provide_transfer (ReeveCapabilities *self, const char *name,
                                          ReeveCapabilityTransferFunc func, gpointer user_data);
/* the provider of "net.http" */
void reeve_capabilities_provide_http (ReeveCapabilities *self, ReeveCapabilityHttpFunc func,
                                      gpointer user_data);
/* the provider of "net.tcp" */
void reeve_capabilities_provide_tcp (ReeveCapabilities *self, ReeveCapabilityTcpFunc func,
                                     gpointer user_data);
/* Before plugins are called: without, a manifest is granted all that it requests, as an author's
 * check wants it. user_data outlives self. */
void reeve_capabilities_set_grants (ReeveCapabilities *self, const ReeveCapabilityGrants *grants,
                                    gpointer user_data);
/* Was the plugin of @manifest, which requests it, granted @capability for all tenants? *granted:
 * (out): the largest amount, *ceiling: (out): what the deployment leaves; 0: it is not said. Any
 * thread. */
gboolean reeve_capabilities_get_amount (ReeveCapabilities *self, ReeveManifest *manifest,
                                        const char *capability, gint64 *granted, gint64 *ceiling);
gboolean reeve_capabilities_has (ReeveCapabilities *self, const char *name);
/* (transfer none) cancelled when the caller gave up, or its grant was taken back */
GCancellable *reeve_capabilities_get_cancellable (const ReeveCapabilityCaller *caller);
/* The call needs that capability as well. *lease: (out) (transfer none) (nullable): as of the
 * call's own, until its end, which its cut brings too. %FALSE as a call of the capability would be
 */
gboolean reeve_capabilities_also (const ReeveCapabilityCaller *caller, const char *capability,
                                  ReeveCapabilityLease **lease, GError **error);
/* (transfer full) once in a call */
ReeveCapabilityHold *reeve_capability_hold_new (const ReeveCapabilityCaller *caller)
    G_GNUC_WARN_UNUSED_RESULT;
/* (transfer none) (nullable): as reeve_capabilities_get_cancellable() */
GCancellable *reeve_capability_hold_get_cancellable (ReeveCapabilityHold *self);
void reeve_capability_hold_free (ReeveCapabilityHold *self);
typedef void (*ReeveCapabilityInstanceFunc) (const char *instance_id, JsonObject *settings,
                                             gpointer user_data);
/* Instances of a plugin that have a broker, oldest first; (nullable) settings are to be read only.
 */
void reeve_capabilities_foreach_instance (ReeveCapabilities *self, const char *plugin_id,
                                          ReeveCapabilityInstanceFunc func, gpointer user_data);
/* May what that broker is for use @capability in a call of @context? As it is now: nothing is held.
 * FALSE with %REEVE_ERROR_CAPABILITY or %REEVE_ERROR_CAPABILITY_REVOKED */
gboolean reeve_capabilities_check (ReeveBroker *broker, ReeveContext *context,
                                   const char *capability, GError **error);
/* Refuses every call through a broker from now on, whoever kept a context. */
void reeve_capabilities_revoke (ReeveBroker *broker);

/* (transfer full) what one instance may reach: only what its manifest requests */
ReeveBroker *reeve_capabilities_new_broker (ReeveCapabilities *self, ReeveManifest *manifest,
                                            const char *instance_id, JsonObject *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCapabilities, reeve_capabilities_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCapabilityHold, reeve_capability_hold_free)

G_END_DECLS
