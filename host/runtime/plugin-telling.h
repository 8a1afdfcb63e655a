/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePluginTelling: capabilities `metrics` and `audit.emit`: what plugins tell of themselves,
 * which the host counts and writes down with their ids, at a bounded rate. */
#pragma once

#include "base/metrics.h"
#include "governance/ledger.h"
#include "loader/capabilities.h"

G_BEGIN_DECLS

#define REEVE_PLUGIN_TELLING_SERIES 64   /* of one plugin */
#define REEVE_PLUGIN_TELLING_COUNTS 6000 /* calls of `metrics` a minute, of one plugin */
#define REEVE_PLUGIN_TELLING_EVENTS                                                                \
  60 /* calls of `audit.emit` a minute, of one plugin in a tenant */

typedef struct _ReevePluginTelling ReevePluginTelling;

/* (nullable) @metrics: nothing is counted; both outlive it */
ReevePluginTelling *reeve_plugin_telling_new (ReeveMetrics *metrics,
                                              ReeveLedger *ledger) G_GNUC_WARN_UNUSED_RESULT;
/* Offers the capabilities; @self outlives @capabilities. */
void reeve_plugin_telling_provide (ReevePluginTelling *self, ReeveCapabilities *capabilities);
void reeve_plugin_telling_free (ReevePluginTelling *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePluginTelling, reeve_plugin_telling_free)

G_END_DECLS
