/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to several witnesses at once. */
#pragma once

#include "http-thread.h"

G_BEGIN_DECLS

/**
 * ReeveWitnessPost:
 * @url: where to
 * @body: what is sent
 * @status: (out): of HTTP, 0 without an answer
 * @answer: (out) (transfer full): body of the answer
 * @error: (out) (nullable) (transfer full): why there is no answer
 * @ours: (out): that tells of this host, not of the other side
 */
typedef struct
{
  const char *url;
  const char *body;
  guint status;
  GByteArray *answer;
  char *error;
  gboolean ours;
} ReeveWitnessPost;

/* Blocks until each was answered or was not in time. */
void reeve_witness_post_run (ReeveHttpThread *thread, ReeveWitnessPost *posts, guint count);
void reeve_witness_post_clear (ReeveWitnessPost *self);

G_END_DECLS
