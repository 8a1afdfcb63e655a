/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The record is of who made the call in which the plugin asks, as those of model.call and tool.call
 * are. What a sink sends is no call for anybody: its record is the host's, and one an hour. */
#include "net-record.h"

#include "base/digests.h"
#include "base/trace.h"
#include "governance/admission-records.h"
#include "governance/bootstrap.h"
#include "governance/delegation.h"

#include "sinks.h"

#include <string.h>

struct _ReeveNetRecord
{
  ReeveAdmission *admission;
  ReeveAdmitted *admitted;
};

/* (transfer full): of what is asked: {place, method, target} in canonical form, as far as they are
 * known, and what is sent with it. @told: (nullable): stands for the place, which nobody is to
 * guess
 */
static char *
reeve_net_record_digest (const ReeveNetRecordPlace *place, const char *told)
{
  g_autoptr (JsonObject) asked = json_object_new ();
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), asked);
  g_autoptr (ReeveDigests) digests = reeve_digests_begin ();
  g_autofree char *canonical = NULL;
  guint8 digest[REEVE_DIGESTS_LENGTH] = { 0 };

  json_object_set_string_member (asked, "place", told != NULL ? told : place->place);
  if (place->method != NULL)
    json_object_set_string_member (asked, "method", place->method);
  if (place->target != NULL)
    json_object_set_string_member (asked, "target", place->target);
  canonical = reeve_json_canonical (node);
  reeve_digests_update (digests, canonical, canonical != NULL ? strlen (canonical) : 0);
  if (place->body != NULL)
    reeve_digests_update (digests, g_bytes_get_data (place->body, NULL),
                          g_bytes_get_size (place->body));
  reeve_digests_finish (digests, digest);
  return reeve_digests_hex (digest, sizeof digest);
}

/* Through the gate; its fields that say who asks are filled in. */
static gboolean
reeve_net_record_admit (ReeveAdmission *admission, ReeveAdmissionRequest *request,
                        const ReeveNetRecordPlace *place, ReeveNetRecord **self, GError **error)
{
  g_autofree char *told = place->named ? NULL : reeve_admission_name_told (admission, place->place);
  g_autofree char *digest = reeve_net_record_digest (place, told);
  ReeveAdmitted *admitted = NULL;

  request->resource_told = told;
  request->input_digest = digest;
  admitted = reeve_admission_begin (admission, request, error);
  if (admitted == NULL)
    {
      g_prefix_error (error, "%s: ", place->capability);
      return FALSE;
    }
  reeve_admitted_consume (admitted, place->capability);
  *self = g_new0 (ReeveNetRecord, 1);
  (*self)->admission = g_object_ref (admission);
  (*self)->admitted = admitted;
  return TRUE;
}

/* It is noted behind the record: of two at once both may be recorded, and none goes without. */
static gboolean
reeve_net_record_begin_sink (ReeveNetRecords *records, const char *sink,
                             const ReeveNetRecordPlace *place, ReeveAdmissionRequest *request,
                             ReeveNetRecord **self, GError **error)
{
  g_autofree char *what = g_strconcat (place->capability, " ", place->place, NULL);
  g_autoptr (ReeveCaller) host = NULL;
  gint64 now = g_get_monotonic_time ();
  gboolean due = FALSE;

  if (!reeve_net_records_check (records, sink, what, now, &due, error))
    return FALSE;
  if (!due)
    return TRUE;
  host = reeve_bootstrap_make_caller ();
  request->caller = host;
  if (!reeve_net_record_admit (reeve_net_records_get_admission (records), request, place, self,
                               error))
    return FALSE;
  reeve_net_records_note (records, sink, what, now);
  return TRUE;
}

gboolean
reeve_net_record_begin (ReeveNetRecords *records, const ReeveCapabilityCaller *caller,
                        const ReeveNetRecordPlace *place, ReeveNetRecord **self, GError **error)
{
  g_autoptr (ReeveDelegation) above = NULL;
  const char *traceparent = reeve_context_get_traceparent (caller->context);
  ReeveAdmissionRequest request = { .operation = place->capability,
                                    .resource_type = "place",
                                    .resource_id = place->place,
                                    .plugin_id = caller->plugin_id };
  ReeveTrace trace = { 0 };

  *self = NULL;
  if (records == NULL)
    return TRUE;
  if (!reeve_delegation_is_known (caller->context))
    return !g_str_has_prefix (caller->instance_id, REEVE_SINKS_INSTANCE)
           || reeve_net_record_begin_sink (records, caller->instance_id, place, &request, self,
                                           error);
  above = reeve_delegation_find (caller->context, place->capability, error);
  if (above == NULL)
    return FALSE;
  reeve_delegation_note_asked (above);
  reeve_delegation_describe (above, &request);
  request.agent_tools = NULL;
  if (traceparent != NULL && reeve_trace_parse (traceparent, &trace))
    request.trace = &trace;
  return reeve_net_record_admit (reeve_net_records_get_admission (records), &request, place, self,
                                 error);
}

void
reeve_net_record_end (ReeveNetRecord *self, const ReeveNetRecordEnd *end)
{
  const GError *error = end->error;
  g_autofree char *digest = NULL;
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED,
                                 .error = error,
                                 .output_digest = end->digest,
                                 .bytes_sent = (gint64) MIN (end->sent, G_MAXINT64),
                                 .bytes_received = (gint64) MIN (end->received, G_MAXINT64),
                                 .may_wait = TRUE };

  if (self == NULL)
    return;
  if (error != NULL)
    {
      settlement.outcome = g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME)
                               ? REEVE_OUTCOME_UNKNOWN
                               : REEVE_OUTCOME_FAILED;
      settlement.reason = reeve_admission_records_reason (error);
      /* what its text says, it says of the place */
      digest = reeve_admission_records_error_digest (reeve_admission_records_code (error), NULL);
      settlement.output_digest = digest;
    }
  reeve_admission_settle_async (self->admission, self->admitted, &settlement, NULL, NULL);
  g_object_unref (self->admission);
  g_free (self);
}
