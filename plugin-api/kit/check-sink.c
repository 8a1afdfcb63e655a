/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind sink. Nothing is reached from here, so what a sink says of its records must be
 * that they are not there. */
#include "check-sink.h"

static const char *const check_sink_texts[] = {
  "{\"action\":\"agents.create\",\"scope\":\"acme\",\"seq\":1}",
  "CEF:0|Reeve|Reeve|0.1|tool.call|tool.call outcome|6|externalId=acme/2 act=tool.call",
  "",
  "{}",
};

static ReeveSinkBatch *
check_sink_make_batch (guint length)
{
  ReeveSinkBatch *batch = reeve_sink_batch_new ("acme");

  for (guint i = 0; i < length; i++)
    {
      g_autofree char *id = g_strdup_printf ("acme/%u", i + 1);

      reeve_sink_batch_add (batch, id, G_GINT64_CONSTANT (1790000000000000) + i, 1 + i % 10,
                            check_sink_texts[i % G_N_ELEMENTS (check_sink_texts)]);
    }
  return batch;
}

/* What is not delivered has a reason, and no more is delivered than there is. */
static void
check_sink_deliver (CheckRun *run, ReevePlugin *plugin, const char *what, guint length,
                    ReeveContext *context)
{
  CheckReport *report = check_run_get_report (run);
  g_autoptr (ReeveSinkBatch) batch = check_sink_make_batch (length);
  g_autoptr (GError) error = NULL;
  guint count = 0;

  check_report_begin (report, "sink: %s", what);
  count = reeve_sink_deliver (REEVE_SINK (plugin), batch, context, &error);
  check_report_expect (report, (count < length) == (error != NULL),
                       "it says that %u of %u records are there, and %s", count, length,
                       error != NULL ? "fails" : "not why");
  check_report_expect_error (report, error, "delivering");
  check_report_end (report);
}

void
check_sink_run (CheckRun *run, ReevePlugin *plugin)
{
  g_autoptr (ReeveContext) context = check_run_new_context (run, plugin, NULL);
  g_autoptr (ReeveContext) late = check_run_new_late_context (run, plugin);

  check_sink_deliver (run, plugin, "no record", 0, context);
  check_sink_deliver (run, plugin, "one record", 1, context);
  check_sink_deliver (run, plugin, "many records of all formats", 500, context);
  check_sink_deliver (run, plugin, "a call that has no time left", 3, late);
}
