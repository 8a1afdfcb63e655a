/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestFraming: where the body of a request ends, by its length or its chunks. Like the head's
 * scanner it knows no socket, and refuses what could be read in two ways. */
#pragma once

#include "head.h"

G_BEGIN_DECLS

typedef struct
{
  int state;
  guint64 left;    /* of the body, or of the chunk */
  guint64 content; /* bytes of it that came, without what frames them */
  guint line;      /* bytes of a chunk's first line */
  guint trailer;   /* bytes of the trailer */
  const char *detail;
} ReeveRestFraming;

void reeve_rest_framing_init (ReeveRestFraming *self, const ReeveRestHead *head);
/* How many of these bytes belong to the body. FALSE: they are no body; detail says why. */
gboolean reeve_rest_framing_take (ReeveRestFraming *self, const char *data, gsize length,
                                  gsize *used);
gboolean reeve_rest_framing_is_complete (const ReeveRestFraming *self);
/* Of what goes out: 100 (Continue) is not the answer. */
gboolean reeve_rest_framing_is_interim (const char *data, gsize length);

G_END_DECLS
