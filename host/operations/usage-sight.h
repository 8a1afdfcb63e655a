/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveUsageSight: of what was used, what is shown to who asks. A plain value of one call. */
#pragma once

#include "governance/usage.h"
#include "call.h"
#include "services.h"

G_BEGIN_DECLS

/**
 * ReeveUsageSight:
 * @call: who asks
 * @services: what operations work with
 * @all: nothing is hidden
 * @bound: (nullable): the only workspace there is to him
 * @known: (nullable): "collection/id" to 1 hidden, 2 seen
 * @collection: (nullable): of what reeve_usage_sight_sees() is asked; %NULL: nothing of it is
 * hidden
 */
typedef struct
{
  ReeveCall *call;
  ReeveServices *services;
  gboolean all;
  const char *bound;
  GHashTable *known;
  const char *collection;
} ReeveUsageSight;

gboolean reeve_usage_sight_open (ReeveUsageSight *self, ReeveCall *call, ReeveServices *services,
                                 GError **error);
void reeve_usage_sight_close (ReeveUsageSight *self);
gboolean reeve_usage_sight_sees_thing (ReeveUsageSight *self, const char *collection,
                                       const char *id);
/* user_data: a ReeveUsageSight */
gboolean reeve_usage_sight_sees (const char *id, gpointer user_data);
/* (nullable): where things of the series lie; NULL: not in workspaces */
const char *reeve_usage_sight_collection (ReeveUsageSeries series);
/* Parameters start and end of a call, in µs; 0 where they are not given. */
gboolean reeve_usage_sight_read_times (ReeveCall *call, gint64 *begin, gint64 *end, GError **error);
/* shown: (transfer full) (nullable), error: (transfer full) where it is NULL; with format=csv as
 * print writes it, else as JSON */
void reeve_usage_sight_answer (ReeveCall *call, JsonObject *shown, char *(*print) (JsonObject *),
                               GError *error);

G_END_DECLS
