/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireDecoder: a ReeveLlmDecoder that lives in a runner. Its functions block for a round trip
 * each. */
#pragma once

#include "wire-instance.h"

G_BEGIN_DECLS

#define REEVE_TYPE_WIRE_DECODER (reeve_wire_decoder_get_type ())
G_DECLARE_FINAL_TYPE (ReeveWireDecoder, reeve_wire_decoder, REEVE, WIRE_DECODER, GObject)

/* a codec is pure and bounded: what has not come by then does not come */
#define REEVE_WIRE_DECODER_US (30 * G_USEC_PER_SEC)

/* (transfer full): of the response to @request; over there it is made with its head */
ReeveLlmDecoder *reeve_wire_decoder_new (ReeveWireInstance *instance, ReeveLlmRequest *request);
/* (transfer full): of a codec's call, which has no caller and no capabilities */
ReeveContext *reeve_wire_decoder_make_context (void);

G_END_DECLS
