/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a collector's answer to an OTLP/HTTP request means. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* longest answer that is read */
#define REEVE_OTLP_ANSWER_LONGEST ((gsize) 64 * 1024)
/* bytes of a collector's words that are told */
#define REEVE_OTLP_ANSWER_TEXT 200
/* a collector that wants to be left alone for longer is asked again after this */
#define REEVE_OTLP_ANSWER_WAIT 300

typedef enum
{
  REEVE_OTLP_ANSWER_TAKEN,
  REEVE_OTLP_ANSWER_PARTLY, /* some of it was refused: not to be sent again */
  REEVE_OTLP_ANSWER_LATER,  /* to be sent again */
  REEVE_OTLP_ANSWER_REFUSED /* all of it, for good */
} ReeveOtlpAnswerKind;

typedef struct
{
  ReeveOtlpAnswerKind kind;
  guint64 rejected; /* how many were refused, when it said */
  gint wait;        /* seconds before it is sent again; -1 when it did not say */
  char *text;       /* (nullable): one line */
} ReeveOtlpAnswer;

/* @retry_after: (nullable): value of the header. @now: µs since the epoch. */
void reeve_otlp_answer_read (guint status, const char *retry_after, gint64 now, const char *body,
                             gsize length, ReeveOtlpAnswer *answer);
void reeve_otlp_answer_clear (ReeveOtlpAnswer *answer);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveOtlpAnswer, reeve_otlp_answer_clear)

G_END_DECLS
