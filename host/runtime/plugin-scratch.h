/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePluginScratch: capability `scratch`: a folder that is a call's own, and goes with it. A
 * process of a plugin's has it from its start, and makes one for each call by itself; for a plugin
 * in the host it is made here. */
#pragma once

#include "loader/registry.h"

G_BEGIN_DECLS

typedef struct _ReevePluginScratch ReevePluginScratch;

/* @state: the state folder. @registry outlives it. */
ReevePluginScratch *reeve_plugin_scratch_new (const char *state,
                                              ReeveRegistry *registry) G_GNUC_WARN_UNUSED_RESULT;
/* Offers the capability; @self outlives @capabilities. */
void reeve_plugin_scratch_provide (ReevePluginScratch *self, ReeveCapabilities *capabilities);
void reeve_plugin_scratch_free (ReevePluginScratch *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePluginScratch, reeve_plugin_scratch_free)

G_END_DECLS
