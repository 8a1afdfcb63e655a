/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability `net.stream`: lines that plugins write, sent over UDP, TCP or TLS to the one place
 * that the settings of the instance name. A plugin never opens a socket, and cannot say where to.
 */
#pragma once

#include "loader/capabilities.h"

G_BEGIN_DECLS

/* a ReeveCapabilityFunc: {frames: [text]} -> {}; user_data is (nullable) a
 * #ReeveNetRecords */
JsonNode *reeve_net_stream_perform (const ReeveCapabilityCaller *caller, JsonNode *params,
                                    gpointer user_data, GError **error);

G_END_DECLS
