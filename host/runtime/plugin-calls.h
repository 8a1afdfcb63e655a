/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePluginCalls: capabilities `model.call` and `tool.call`: what a plugin asks of models and
 * tools, in the name of who calls it, through the one gate. */
#pragma once

#include "governance/admission.h"
#include "loader/capabilities.h"
#include "models.h"
#include "store/store.h"
#include "tools.h"

G_BEGIN_DECLS

typedef struct _ReevePluginCalls ReevePluginCalls;

/* What they need; outlives them, but for what reeve_plugin_calls_set_tools() says. */
typedef struct
{
  ReeveStore *store;
  ReeveAdmission *admission;
  ReeveModels *models;
} ReevePluginCallsSetup;

ReevePluginCalls *reeve_plugin_calls_new (const ReevePluginCallsSetup *setup)
    G_GNUC_WARN_UNUSED_RESULT;
/* Before plugins are called. */
void reeve_plugin_calls_provide (ReevePluginCalls *self, ReeveCapabilities *capabilities);
/* Once, before the first call of a tool: outlives the shutdown. @seconds: longest call of a tool;
 * 0: as long as the call that asks for it */
void reeve_plugin_calls_set_tools (ReevePluginCalls *self, ReeveTools *tools, gint64 seconds);
/* Cuts what is under way, refuses what comes, and waits for the former. Twice is as once. */
void reeve_plugin_calls_shutdown (ReevePluginCalls *self);
void reeve_plugin_calls_free (ReevePluginCalls *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePluginCalls, reeve_plugin_calls_free)

G_END_DECLS
