/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sinks: where the records of the ledger are sent on to. */
#pragma once

#include "reeve-plugin.h"

G_BEGIN_DECLS

#define REEVE_TYPE_SINK       (reeve_sink_get_type ())
#define REEVE_TYPE_SINK_BATCH (reeve_sink_batch_get_type ())

/**
 * ReeveSinkBatch:
 *
 * Some records of one log, oldest first. Not thread-safe while records are added; immutable once
 * the host has handed it over.
 *
 * Since: 1.0
 */
typedef struct _ReeveSinkBatch ReeveSinkBatch;

REEVE_AVAILABLE_IN_1_0
GType reeve_sink_batch_get_type (void) G_GNUC_CONST;
REEVE_AVAILABLE_IN_1_0
ReeveSinkBatch *reeve_sink_batch_new (const char *scope);
REEVE_AVAILABLE_IN_1_0
ReeveSinkBatch *reeve_sink_batch_ref (ReeveSinkBatch *self);
REEVE_AVAILABLE_IN_1_0
void reeve_sink_batch_unref (ReeveSinkBatch *self);
/* time: µs since 1970; severity: 1 as it should be … 10; text: one line, without its end */
REEVE_AVAILABLE_IN_1_0
void reeve_sink_batch_add (ReeveSinkBatch *self, const char *id, gint64 time, guint severity,
                           const char *text);
/* whose log: a tenant's id, or @platform */
REEVE_AVAILABLE_IN_1_0
const char *reeve_sink_batch_get_scope (ReeveSinkBatch *self);
REEVE_AVAILABLE_IN_1_0
guint reeve_sink_batch_get_length (ReeveSinkBatch *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_sink_batch_get_id (ReeveSinkBatch *self, guint index);
REEVE_AVAILABLE_IN_1_0
gint64 reeve_sink_batch_get_time (ReeveSinkBatch *self, guint index);
REEVE_AVAILABLE_IN_1_0
guint reeve_sink_batch_get_severity (ReeveSinkBatch *self, guint index);
REEVE_AVAILABLE_IN_1_0
const char *reeve_sink_batch_get_text (ReeveSinkBatch *self, guint index);
REEVE_AVAILABLE_IN_1_0
void reeve_sink_batch_append_json (ReeveSinkBatch *self, guint index, GString *json);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveSinkBatch, reeve_sink_batch_unref)

REEVE_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (ReeveSink, reeve_sink, REEVE, SINK, GObject)

/**
 * ReeveSinkInterface:
 * @parent_iface: the parent
 * @deliver: delivers a batch; returns how many of its records, counted from the first, are there
 *
 * One call at a time for an instance. The host calls again with the records that are not there,
 * later; so a record may come more than once, always with the same id.
 *
 * Since: 1.0
 */
struct _ReeveSinkInterface
{
  GTypeInterface parent_iface;

  guint (*deliver) (ReeveSink *self, ReeveSinkBatch *batch, ReeveContext *context, GError **error);
  /*< private >*/
  gpointer reserved[4];
};

REEVE_AVAILABLE_IN_1_0
guint reeve_sink_deliver (ReeveSink *self, ReeveSinkBatch *batch, ReeveContext *context,
                          GError **error);
/* for sinks that speak HTTP: FALSE unless the status says that all is well */
REEVE_AVAILABLE_IN_1_0
gboolean reeve_sink_check_response (ReeveHttpResponse *response, GError **error);
REEVE_AVAILABLE_IN_1_0
char *reeve_sink_join_url (const char *base, const char *path);
REEVE_AVAILABLE_IN_1_0
ReeveHttpResponse *reeve_sink_post (ReeveContext *context, ReeveHttpRequest *request,
                                    const char *type, GString *body, guint timeout_seconds,
                                    GError **error);
REEVE_AVAILABLE_IN_1_0
JsonNode *reeve_sink_read_answer (ReeveHttpResponse *response, GError **error);

G_END_DECLS
