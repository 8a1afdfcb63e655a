/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a report tells is in its intent: members that make no sense are refused later, and then it
 * counts for nothing. */
#include "gate-report.h"

#include <string.h>

#include "governance/money.h"
#include "governance/usage-event.h"

/* of an id of the caller's own, as of a session of this host */
#define REEVE_GATE_REPORT_ID G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.:-"

/* (transfer none) (nullable): @told, which is taken */
static const char *
reeve_gate_report_hold (GPtrArray *held, char *told)
{
  g_ptr_array_add (held, told);
  return told;
}

/* In which session, and whom it is charged to: a session that could be a person's name or address
 * has a pseudonym. */
static void
reeve_gate_report_label (ReeveAdmission *admission, JsonObject *params, GPtrArray *held,
                         ReeveAdmissionRequest *request)
{
  JsonObject *metadata = reeve_json_get_object (params, "metadata");
  const char *session_id = reeve_json_get_string (params, "session_id", NULL);

  request->report_session = session_id;
  if (session_id != NULL && session_id[strspn (session_id, REEVE_GATE_REPORT_ID)] != '\0')
    request->report_session
        = reeve_gate_report_hold (held, reeve_admission_name_told (admission, session_id));
  if (metadata == NULL)
    return;
  request->report_department = reeve_json_get_string (metadata, "department", NULL);
  request->report_cost_center = reeve_json_get_string (metadata, "cost_center", NULL);
  request->report_project = reeve_json_get_string (metadata, "project", NULL);
}

/**
 * reeve_gate_report_describe:
 * @admission: the gate
 * @params: what the report says
 * @held: (element-type utf8): takes strings that live as long as @request
 * @request: filled in: what is told
 */
void
reeve_gate_report_describe (ReeveAdmission *admission, JsonObject *params, GPtrArray *held,
                            ReeveAdmissionRequest *request)
{
  JsonObject *cost = reeve_json_get_object (params, "cost");
  const char *what = reeve_json_get_string (params, "type", "tokens");
  gint64 amount = strcmp (what, "tokens") == 0 ? reeve_json_get_int (params, "amount", 0) : 0;
  gint64 output = reeve_json_get_int (params, "output_tokens", 0);
  gint64 all = reeve_json_get_int (
      params, "tokens_used", amount + output + reeve_json_get_int (params, "input_tokens", 0));
  ReeveUsageCounter counter = REEVE_USAGE_REPORTS;
  char *told = NULL;

  request->reserve_output = MIN (output, all);
  request->reserve_input = all - request->reserve_output;
  request->report_model = reeve_json_get_string (params, "model", NULL);
  told = reeve_admission_name_report (admission, request->report_model);
  if (told != NULL)
    request->report_model = reeve_gate_report_hold (held, told);
  reeve_gate_report_label (admission, params, held, request);
  if (reeve_usage_told_find (what, &counter))
    {
      request->report_what = g_intern_string (what);
      request->report_amount = reeve_json_get_int (params, "amount", 0);
    }
  if (cost != NULL
      && reeve_money_parse (reeve_json_get_string (cost, "amount", ""), 9, &request->report_cost,
                            NULL))
    request->report_currency = g_intern_string (reeve_json_get_string (cost, "currency", ""));
}
