/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveTrace: a place in a distributed trace, as W3C Trace Context writes it. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* bytes of a traceparent of version 00 */
#define REEVE_TRACE_LENGTH 55
/* a tracestate that is longer is not passed on */
#define REEVE_TRACE_STATE_LONGEST 8192

typedef enum
{
  REEVE_TRACE_SAMPLED = 1 << 0, /* whoever wrote it has recorded it */
  REEVE_TRACE_RANDOM = 1 << 1   /* the trace id's last 7 bytes are random (level 2) */
} ReeveTraceFlags;

typedef struct
{
  char trace_id[33]; /* 32 hexadecimal digits, not all 0 */
  char span_id[17];  /* 16 of them, not all 0 */
  guint8 flags;
} ReeveTrace;

/* FALSE for anything else than a valid traceparent; @trace is not written then. */
gboolean reeve_trace_parse (const char *traceparent, ReeveTrace *trace);
void reeve_trace_write (const ReeveTrace *trace, char text[REEVE_TRACE_LENGTH + 1]);
/* A new trace, of random ids, not sampled. */
void reeve_trace_make (ReeveTrace *trace);
/* A new span id in the same trace. */
void reeve_trace_make_span (ReeveTrace *trace);
/* (transfer full) (nullable): what may be passed on of a tracestate (nullable) */
char *reeve_trace_read_state (const char *tracestate) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
