/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces of a model's answer that come as a stream, for engines and codecs. */
#pragma once

#include "wire-read.h"

G_BEGIN_DECLS

typedef struct
{
  ReeveLlmDeltaFunc func;
  gpointer user_data;
} ReeveWireDeltaTaker;

/* @taker: gets the pieces, on the thread that reads the stream; must outlive the call */
ReeveWireStream reeve_wire_delta_stream (ReeveWireDeltaTaker *taker);
/* (transfer full): what a model is asked */
GBytes *reeve_wire_delta_write_request (ReeveLlmRequest *request);

G_END_DECLS
