/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of ReeveCapabilities: capabilities.c has the calls, capability-hold.c what outlives
 * them. */
#pragma once

#include "capabilities.h"

G_BEGIN_DECLS

typedef struct
{
  ReeveCapabilityFunc func;
  ReeveCapabilityTransferFunc transfer; /* instead */
  gpointer user_data;
} ReeveCapabilitiesProvider;

struct _ReeveCapabilities
{
  gatomicrefcount refs;
  GHashTable *providers; /* name -> ReeveCapabilitiesProvider; written before plugins are called,
                            read-only afterwards */
  ReeveCapabilityHttpFunc http;
  gpointer http_data;
  ReeveCapabilityTcpFunc tcp;
  gpointer tcp_data;
  ReeveCapabilityGrants grants; /* written before plugins are called */
  gpointer grants_data;
  ReeveByteRoom *room;
  GMutex lock;
  GPtrArray *brokers; /* with lock: GWeakRef, theirs */
};

#define REEVE_TYPE_CAPABILITIES_BROKER (reeve_capabilities_broker_get_type ())
G_DECLARE_FINAL_TYPE (ReeveCapabilitiesBroker, reeve_capabilities_broker, REEVE,
                      CAPABILITIES_BROKER, GObject)

struct _ReeveCapabilitiesBroker
{
  GObject parent_instance;

  ReeveCapabilities *capabilities;
  ReeveManifest *manifest;
  char *instance_id;
  JsonObject *settings;
  gint revoked; /* atomic */
  GWeakRef listed;
};

/* One call, on the stack of whoever makes it. */
typedef struct
{
  ReeveCapabilitiesBroker *broker;
  ReeveCapabilityCaller caller;
  GCancellable *outer; /* (nullable): of the caller */
  gulong handler;
  GPtrArray *also;      /* (nullable): ReeveCapabilityLease of what it needs besides */
  ReeveByteHold *bytes; /* (nullable): that it transfers */
  gboolean held;        /* a hold has lease, cancellable and handler now */
} ReeveCapabilitiesPassage;

G_END_DECLS
