/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of a connection share. */
#pragma once

#include "connection.h"
#include "intake.h"
#include "outbox.h"

G_BEGIN_DECLS

typedef enum
{
  REEVE_REST_CONNECTION_LISTENS,
  REEVE_REST_CONNECTION_SERVES,
  REEVE_REST_CONNECTION_LINGERS
} ReeveRestConnectionPhase;

struct _ReeveRestConnection
{
  ReeveRestPollerClient client; /* first */
  grefcount references;
  const ReeveRestConnectionHome *home;
  int fd;
  ReeveRestChannel *channel;
  GSocketAddress *remote;
  char *peer; /* (nullable): once somebody has asked */

  ReeveRestConnectionPhase phase;
  gint64 since; /* of the phase; of the head, when one has begun */
  gboolean in_head;
  gboolean spoken; /* a request was served */
  gboolean readable;
  gboolean writable;
  gboolean half;    /* the client sends no more: whether it still reads shows by writing alone */
  gboolean gone;    /* the socket is broken */
  gboolean dropped; /* nothing goes in or out any more */
  gboolean ended;   /* the client was told that no more comes */
  gsize drained;
  ReeveRestIntake *intake;
  ReeveRestOutbox out;

  /* ---- the request ---- */
  char *target;
  gboolean keep;
  gboolean received;
  gboolean answering; /* some of the answer was written */
  gsize ahead;        /* bytes that it begins with in any case, written before it was there */
  gboolean answered;
  gboolean over; /* refused: libsoup reads its end, what it writes is thrown away */
  ReeveRestConnectionFunc on_gone;
  ReeveRestConnectionFunc on_half;
  gpointer user_data;
  ReeveRestConnectionFunc on_work; /* (nullable): libsoup does not know of it */
  ReeveRestConnectionFunc on_cut;
  gpointer work_data;
};

G_END_DECLS
