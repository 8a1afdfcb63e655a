/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What refused calls of the system are answered with. Both link this; nobody else. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A call that is refused with an answer of its own; all others get EPERM. */
typedef struct
{
  const char *call;
  int code;              /* errno */
  gboolean by_arguments; /* only with some */
} RunnerRefusal;

#define RUNNER_REFUSALS_COUNT 17

extern const RunnerRefusal runner_refusals[RUNNER_REFUSALS_COUNT];

/* What the refused call @call is answered with. @call: (nullable): one without a name */
int runner_refusals_get_code (const char *call);

G_END_DECLS
