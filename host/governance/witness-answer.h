/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a witness answers to a checkpoint. */
#pragma once

#include "cosigners.h"

G_BEGIN_DECLS

/* bytes of the longest answer that is read */
#define REEVE_WITNESS_ANSWER_LONGEST ((gsize) 16 * 1024)

typedef enum
{
  REEVE_WITNESS_COSIGNED,
  REEVE_WITNESS_ELSEWHERE, /* it has cosigned another size than we thought */
  REEVE_WITNESS_DISAGREES, /* what it has cosigned does not go on as we say */
  REEVE_WITNESS_REFUSED,   /* it does not serve this log */
  REEVE_WITNESS_FAILED     /* nothing that says anything: later */
} ReeveWitnessVerdict;

/**
 * ReeveWitnessAnswer:
 * @verdict: what is to be done
 * @size: ELSEWHERE: what it has cosigned last
 * @time: COSIGNED: when, seconds since 1970
 * @line: COSIGNED: the signature line, without its end
 * @text: else: one short line for people
 */
typedef struct
{
  ReeveWitnessVerdict verdict;
  guint64 size;
  guint64 time;
  char *line;
  char *text;
} ReeveWitnessAnswer;

void reeve_witness_answer_read (ReeveWitnessAnswer *self, const ReeveCosigners *keys, guint number,
                                const char *note, guint status, const char *body, gsize length);
void reeve_witness_answer_clear (ReeveWitnessAnswer *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveWitnessAnswer, reeve_witness_answer_clear)

G_END_DECLS
