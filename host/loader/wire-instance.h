/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireInstance: an instance of a plugin's type that lives in a runner, as if it lived here: it
 * implements what that type does. */
#pragma once

#include "wire.h"

G_BEGIN_DECLS

#define REEVE_TYPE_WIRE_INSTANCE (reeve_wire_instance_get_type ())
G_DECLARE_DERIVABLE_TYPE (ReeveWireInstance, reeve_wire_instance, REEVE, WIRE_INSTANCE, ReevePlugin)

struct _ReeveWireInstanceClass
{
  ReevePluginClass parent_class;
};

/* (transfer full): made over there by reeve_plugin_setup(). @type: number of one of the wire's */
ReevePlugin *reeve_wire_instance_new (ReeveWire *wire, guint type);
/* (transfer none) */
ReeveWire *reeve_wire_instance_get_wire (ReeveWireInstance *self);
/* reeve_wire_call() of this instance: its path is added to @call. */
GVariant *reeve_wire_instance_call (ReeveWireInstance *self, const ReeveWireCall *call,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* reeve_wire_ask(), the same. */
WireLetter *reeve_wire_instance_ask (ReeveWireInstance *self, const ReeveWireCall *call,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What has no reply, and is of no use where the runner is gone. @argument: floating, behind number
 * and context */
void reeve_wire_instance_tell (ReeveWireInstance *self, const char *interface, const char *member,
                               GVariant *argument);

/* Fill in the functions of an interface, each in a file of its own. */
void reeve_wire_codec_init (gpointer iface, gpointer data);
void reeve_wire_engine_init (gpointer iface, gpointer data);
void reeve_wire_extractor_init (gpointer iface, gpointer data);
void reeve_wire_sink_init (gpointer iface, gpointer data);
void reeve_wire_tool_init (gpointer iface, gpointer data);
/* reeve_llm_engine_generate() with @text, which wire_llm_request_to_text() made of @request. */
gboolean reeve_wire_engine_generate_text (ReeveLlmEngine *engine, ReeveLlmRequest *request,
                                          GBytes *text, ReeveContext *context,
                                          ReeveLlmDeltaFunc func, gpointer user_data,
                                          GError **error);
/* Asks for what is answered without a call later. */
gboolean reeve_wire_extractor_prepare (ReeveWireInstance *instance, ReeveContext *context,
                                       GError **error);

G_END_DECLS
