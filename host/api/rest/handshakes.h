/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestHandshakes: the TLS handshakes of one API thread, bounded in number and time, one step a
 * turn of its loop. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ReeveRestHandshakes ReeveRestHandshakes;

/* Who is shaking hands; a part of its owner, who sets the functions. */
typedef struct _ReeveRestHandshake ReeveRestHandshake;

struct _ReeveRestHandshake
{
  /* goes one step on; asked for by reeve_rest_handshakes_want() */
  void (*step) (ReeveRestHandshake *self);
  /* has taken too long, or too many have come since; calls reeve_rest_handshakes_end() */
  void (*give_up) (ReeveRestHandshake *self);
  gint64 expires_at; /* monotonic µs */
  GList by_age;
  GList by_turn;
  gboolean under_way;
  gboolean waiting; /* for its turn */
  gboolean begun;   /* had a turn already */
  gboolean crowded; /* it is the oldest of too many */
};

/* max: under way at once */
ReeveRestHandshakes *reeve_rest_handshakes_new (GMainContext *context, guint max);
void reeve_rest_handshakes_free (ReeveRestHandshakes *self);
void reeve_rest_handshakes_begin (ReeveRestHandshakes *self, ReeveRestHandshake *handshake);
void reeve_rest_handshakes_want (ReeveRestHandshakes *self, ReeveRestHandshake *handshake);
/* Finished or given up. */
void reeve_rest_handshakes_end (ReeveRestHandshakes *self, ReeveRestHandshake *handshake);
/* Gives up those that expired before. */
void reeve_rest_handshakes_sweep (ReeveRestHandshakes *self, gint64 now);
guint reeve_rest_handshakes_count (ReeveRestHandshakes *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestHandshakes, reeve_rest_handshakes_free)

G_END_DECLS
