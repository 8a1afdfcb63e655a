/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveSinkPosition: how far a sink is with one log, kept in a file. A plain value. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/**
 * ReeveSinkPosition:
 * @delivered: number of the last record that is there, or not meant
 * @skipped: how many it has refused, and are left out
 * @single_until: up to this record one goes at a time: one of a batch was refused
 * @failures: tries in a row that did not succeed
 * @next_try: monotonic µs
 * @announced: its failing is on record
 * @last_error: (nullable): of the last try that did not succeed
 */
typedef struct
{
  guint64 delivered;
  guint64 skipped;
  guint64 single_until;
  guint failures;
  gint64 next_try;
  gboolean announced;
  char *last_error;
} ReeveSinkPosition;

ReeveSinkPosition *reeve_sink_position_load (const char *folder, const char *scope);
void reeve_sink_position_free (ReeveSinkPosition *self);
gboolean reeve_sink_position_save (const ReeveSinkPosition *self, const char *folder,
                                   const char *scope, GError **error);
gboolean reeve_sink_position_skip (ReeveSinkPosition *self, const char *folder, const char *scope,
                                   const char *id, const char *why, GError **error);
void reeve_sink_position_fail (ReeveSinkPosition *self, const GError *error);
void reeve_sink_position_succeed (ReeveSinkPosition *self);

G_END_DECLS
