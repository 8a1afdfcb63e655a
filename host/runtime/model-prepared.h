/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveModelPrepared: a call of a model as far as it can be made without leave: where it goes, and
 * the bytes that would be sent. Nothing of it has left; whoever drops it has done nothing. Of one
 * thread. */
#pragma once

#include "model-provider.h"
#include "models.h"

G_BEGIN_DECLS

struct _ReeveModelPrepared
{
  ReeveModelProvider *provider;
  char *full;               /* provider/model */
  ReeveLlmRequest *asked;   /* what it was made of */
  ReeveLlmRequest *request; /* as the service understands it */
  ReeveHttpRequest *http;   /* (nullable): not encoded as yet; with its key */
  GBytes *text;             /* (nullable): what an engine's own process gets */
};

ReeveModelPrepared *reeve_model_prepared_new (ReeveModelProvider *provider, const char *name,
                                              ReeveLlmRequest *asked);
gboolean reeve_model_prepared_is_of (const ReeveModelPrepared *self, ReeveLlmRequest *asked);

G_END_DECLS
