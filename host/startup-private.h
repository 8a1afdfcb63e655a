/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is open, for the files of the start alone. */
#pragma once

#include "governance/authentication-provision.h"
#include "runtime/extraction.h"
#include "runtime/net-http.h"
#include "runtime/net-tcp.h"
#include "runtime/plugin-calls.h"
#include "runtime/plugin-files.h"
#include "runtime/plugin-scratch.h"
#include "runtime/plugin-telling.h"
#include "runtime/run.h"
#include "startup-metrics.h"
#include "startup-telemetry.h"
#include "startup.h"

G_BEGIN_DECLS

struct _ReeveStartup
{
  ReeveServices services;
  ReeveState *state;
  ReeveCapabilities *capabilities;
  ReeveExtraction *extraction;
  ReeveNetHttp *net;
  ReeveNetTcp *tcp;
  ReeveNetRecords *records;
  ReevePluginTelling *telling;
  ReevePluginFiles *files;
  ReevePluginCalls *calls;
  ReevePluginScratch *scratch;
  ReeveStartupTelemetry telemetry;
  ReeveAuthenticationProvision *provision;
  ReeveStoreKeys *keys; /* NULL: nothing is encrypted */
  gboolean key_beside;  /* the master key lies in the state folder */
  ReeveRunEnvironment environment;
  ReeveMetricsState *metrics; /* (nullable) */
  gboolean store_open;
  gboolean ledger_open;
};

/* (transfer full) reason. What a part of the configuration asks for cannot be had: says where it is
 * asked for. FALSE. */
gboolean reeve_startup_blame (ReeveStartup *self, const char *path, GError *reason, GError **error);
/* (transfer full) reason. A plugin was asked for by name, with settings: which of the two is wrong?
 * FALSE. */
gboolean reeve_startup_blame_plugin (ReeveStartup *self, const char *path, GError *reason,
                                     GError **error);
/* startup-identity.c: who comes in: tenants, users, keys, passwords, providers. */
gboolean reeve_startup_open_identity (ReeveStartup *self, GError **error);

G_END_DECLS
