/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a type to an instance that is ready, within a bounded time. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* Makes an object of type, a ReevePlugin, and sets it up, both on a thread of its own. (transfer
 * full) (nullable). When it takes longer than timeout_us, its context is cancelled, and whatever it
 * still becomes is shut down again. */
ReevePlugin *reeve_registry_setup_run (GType type, JsonObject *settings, ReeveBroker *broker,
                                       gint64 timeout_us, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* (transfer full) (nullable) a tree that shares nothing with the one it was made from: the
 * reference counts of JsonObject are not for two threads */
JsonObject *reeve_registry_setup_copy (JsonObject *settings,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
