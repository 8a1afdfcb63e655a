/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability `store.blob`: bytes that a plugin keeps under keys, apart for each plugin and each
 * tenant. They lie in the tenant's store: encrypted with it, and gone with it. */
#pragma once

#include "loader/capabilities.h"
#include "store/store.h"

G_BEGIN_DECLS

#define REEVE_PLUGIN_BLOBS_BYTES REEVE_BYTE_ROOM_ONE /* of one */
#define REEVE_PLUGIN_BLOBS_TYPE  128                 /* bytes of a media type */
/* bytes that a grant is for which does not say */
#define REEVE_PLUGIN_BLOBS_QUOTA (G_GINT64_CONSTANT (256) * 1024 * 1024)

/* Offers the capability; @store outlives @capabilities. */
void reeve_plugin_blobs_provide (ReeveStore *store, ReeveCapabilities *capabilities);

G_END_DECLS
