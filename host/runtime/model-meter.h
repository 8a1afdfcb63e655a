/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveModelMeter: what one model call took, also when it was cut off. */
#pragma once

#include "models.h"

G_BEGIN_DECLS

typedef struct
{
  gint64 input; /* as the service told; -1: it has not */
  gint64 output;
  gsize bytes;   /* of what it said */
  guint pieces;  /* in which it said it; a stream has one for each token */
  gboolean sent; /* anything came */
} ReeveModelMeter;

void reeve_model_meter_init (ReeveModelMeter *self);
void reeve_model_meter_add (ReeveModelMeter *self, const ReeveLlmDelta *delta);
/* Fills in tokens and whether they are estimated. response: NULL where it ended with @error. What
 * nobody can know stays 0. */
void reeve_model_meter_settle (const ReeveModelMeter *self, ReeveLlmRequest *request,
                               const ReeveModelResponse *response, const GError *error,
                               ReeveSettlement *settlement);
/* The worst case of a request. */
void reeve_model_meter_bound (ReeveLlmRequest *request, ReeveAdmissionRequest *admission);
/* At most @granted tokens may be said (0: no bound). %REEVE_ERROR_BUDGET_EXCEEDED */
gboolean reeve_model_meter_lower (ReeveLlmRequest *request, gint64 granted, GError **error);

G_END_DECLS
