/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveServiceLevels: how many requests each tenant made, how many of them failed by our fault, and
 * how long they took: since the start, and over windows. Any thread; counting takes no lock but
 * when a slot of time begins. */
#pragma once

#include "base/quantiles.h"

G_BEGIN_DECLS

/* windows: up to an hour in slots of five minutes, beyond in slots of an hour */
#define REEVE_SERVICE_LEVELS_FINE_US   (5 * 60 * (gint64) G_USEC_PER_SEC)
#define REEVE_SERVICE_LEVELS_COARSE_US (60 * 60 * (gint64) G_USEC_PER_SEC)
#define REEVE_SERVICE_LEVELS_MAX_US    (24 * REEVE_SERVICE_LEVELS_COARSE_US)

typedef struct _ReeveServiceLevels ReeveServiceLevels;

typedef struct
{
  guint64 requests;
  guint64 errors;
  double p50_us;
  double p95_us;
  double p99_us;
  gint64 covered_us; /* how much time that is: a window begins with a slot */
} ReeveServiceLevel;

/* tenants: how many are told apart, the others are counted together; now: µs, as in what follows,
 * of a clock that does not jump */
ReeveServiceLevels *reeve_service_levels_new (guint tenants, gint64 now) G_GNUC_WARN_UNUSED_RESULT;
void reeve_service_levels_free (ReeveServiceLevels *self);
void reeve_service_levels_note (ReeveServiceLevels *self, const char *tenant_id, guint status,
                                gint64 duration_us, gint64 now);
/* tenant_id: (nullable): all together; window_us: 0: since the start. FALSE: it is not told apart.
 */
gboolean reeve_service_levels_get (ReeveServiceLevels *self, const char *tenant_id,
                                   gint64 window_us, gint64 now, ReeveServiceLevel *level);
/* (transfer full): tenants that are told apart, and "" for nobody and all others */
char **reeve_service_levels_list (ReeveServiceLevels *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveServiceLevels, reeve_service_levels_free)

G_END_DECLS
