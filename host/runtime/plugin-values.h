/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability `store.kv`: values that a plugin keeps, apart for each plugin and each tenant. They
 * lie in the tenant's store: encrypted with it, and gone with it. */
#pragma once

#include "loader/capabilities.h"
#include "store/store.h"

G_BEGIN_DECLS

#define REEVE_PLUGIN_VALUES_VALUE (64 * 1024) /* bytes of a value, as JSON */
/* bytes that a grant is for which does not say */
#define REEVE_PLUGIN_VALUES_QUOTA (G_GINT64_CONSTANT (8) * 1024 * 1024)

/* Offers the capability; @store outlives @capabilities. */
void reeve_plugin_values_provide (ReeveStore *store, ReeveCapabilities *capabilities);

G_END_DECLS
