/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the gate is told of a report of usage. */
#pragma once

#include <json-glib/json-glib.h>

#include "governance/admission.h"

G_BEGIN_DECLS

/* @held takes strings that live as long as @request */
void reeve_gate_report_describe (ReeveAdmission *admission, JsonObject *params, GPtrArray *held,
                                 ReeveAdmissionRequest *request);

G_END_DECLS
