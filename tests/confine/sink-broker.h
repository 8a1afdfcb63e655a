/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SinkBroker: sends what a sink asks for, as the host's own does, and without its rules. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define SINK_TYPE_BROKER (sink_broker_get_type ())
G_DECLARE_FINAL_TYPE (SinkBroker, sink_broker, SINK, BROKER, GObject)

/* @stream: (nullable): where `net.stream` goes, host:port */
ReeveBroker *sink_broker_new (const char *stream);

G_END_DECLS
