/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single records of usage: the outcomes of the log, as what was used. */
#pragma once

#include <json-glib/json-glib.h>

#include "usage.h"

G_BEGIN_DECLS

/* records of the log that one page looks at */
#define REEVE_USAGE_LIST_SCAN 8192

/* May who asks see it? */
typedef gboolean (*ReeveUsageListSees) (const ReeveUsageEvent *event, gpointer user_data);

/* Strings are borrowed; NULL or 0 is no filter. */
typedef struct
{
  gint64 begin; /* µs, included */
  gint64 end;   /* µs, not included */
  const char *values[REEVE_USAGE_N_SERIES];
  const char *run_id;
  const char *session_id;
  const char *type; /* model_call, tool_call, run, report, api_call; NULL: all but the last */
  guint64 before;   /* cursor */
  guint limit;
  ReeveUsageListSees sees; /* (nullable) */
  gpointer user_data;
} ReeveUsageListAsk;

/* Worker threads: blocks. (transfer full) newest first; *next: cursor for the rest, 0 at the end */
JsonArray *reeve_usage_list (ReeveUsage *self, const char *tenant_id, const ReeveUsageListAsk *ask,
                             guint64 *next, GError **error);

G_END_DECLS
