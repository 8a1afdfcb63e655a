/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A signature costs as much as many requests. So that strangers who shake hands cannot hold up
 * those who are served, each turn of the loop does one step, beside all requests that are ready; so
 * that strangers who never finish cannot keep newcomers out, the oldest goes when there are too
 * many. */
#include "handshakes.h"

typedef struct
{
  GSource source;
  ReeveRestHandshakes *handshakes;
} ReeveRestHandshakesSource;

struct _ReeveRestHandshakes
{
  GQueue by_age;
  GQueue by_turn;
  guint max;
  GSource *source;
};

static gboolean
reeve_rest_handshakes_is_ready (GSource *source)
{
  return ((ReeveRestHandshakesSource *) source)->handshakes->by_turn.length > 0;
}

static gboolean
reeve_rest_handshakes_prepare (GSource *source, gint *timeout)
{
  *timeout = -1;
  return reeve_rest_handshakes_is_ready (source);
}

static gboolean
reeve_rest_handshakes_dispatch (GSource *source, GSourceFunc func, gpointer data)
{
  ReeveRestHandshakes *self = ((ReeveRestHandshakesSource *) source)->handshakes;
  GList *link = g_queue_pop_head_link (&self->by_turn);
  ReeveRestHandshake *handshake = link != NULL ? link->data : NULL;

  if (handshake == NULL)
    return G_SOURCE_CONTINUE;
  handshake->waiting = FALSE;
  handshake->begun = TRUE;
  handshake->step (handshake);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs reeve_rest_handshakes_funcs = {
  .prepare = reeve_rest_handshakes_prepare,
  .check = reeve_rest_handshakes_is_ready,
  .dispatch = reeve_rest_handshakes_dispatch,
};

/**
 * reeve_rest_handshakes_new:
 * @context: of the thread
 * @max: under way at once
 *
 * Returns: (transfer full): an empty set, attached
 */
ReeveRestHandshakes *
reeve_rest_handshakes_new (GMainContext *context, guint max)
{
  ReeveRestHandshakes *self = g_new0 (ReeveRestHandshakes, 1);

  self->max = max;
  self->source = g_source_new (&reeve_rest_handshakes_funcs, sizeof (ReeveRestHandshakesSource));
  ((ReeveRestHandshakesSource *) self->source)->handshakes = self;
  g_source_set_static_name (self->source, "reeve-rest-handshakes");
  g_source_attach (self->source, context);
  return self;
}

/**
 * reeve_rest_handshakes_free:
 * @self: (transfer full): a set; nobody in it is touched
 */
void
reeve_rest_handshakes_free (ReeveRestHandshakes *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_free (self);
}

/**
 * reeve_rest_handshakes_begin:
 * @self: a set
 * @handshake: one more; stays where it is until it ends
 */
void
reeve_rest_handshakes_begin (ReeveRestHandshakes *self, ReeveRestHandshake *handshake)
{
  ReeveRestHandshake *oldest = NULL;

  handshake->by_age.data = handshake;
  handshake->by_turn.data = handshake;
  handshake->under_way = TRUE;
  g_queue_push_tail_link (&self->by_age, &handshake->by_age);
  if (self->by_age.length <= self->max)
    return;
  oldest = self->by_age.head->data;
  oldest->crowded = TRUE;
  oldest->give_up (oldest);
}

/**
 * reeve_rest_handshakes_want:
 * @self: a set
 * @handshake: has something to read; those that are half-way come first, their rest is cheap
 */
void
reeve_rest_handshakes_want (ReeveRestHandshakes *self, ReeveRestHandshake *handshake)
{
  if (handshake->waiting || !handshake->under_way)
    return;
  handshake->waiting = TRUE;
  if (handshake->begun)
    g_queue_push_head_link (&self->by_turn, &handshake->by_turn);
  else
    g_queue_push_tail_link (&self->by_turn, &handshake->by_turn);
}

void
reeve_rest_handshakes_end (ReeveRestHandshakes *self, ReeveRestHandshake *handshake)
{
  if (handshake->waiting)
    g_queue_unlink (&self->by_turn, &handshake->by_turn);
  if (handshake->under_way)
    g_queue_unlink (&self->by_age, &handshake->by_age);
  handshake->waiting = FALSE;
  handshake->under_way = FALSE;
}

void
reeve_rest_handshakes_sweep (ReeveRestHandshakes *self, gint64 now)
{
  GList *next = NULL;

  for (GList *link = self->by_age.head; link != NULL; link = next)
    {
      ReeveRestHandshake *handshake = link->data;

      next = link->next;
      if (handshake->expires_at < now)
        handshake->give_up (handshake);
    }
}

guint
reeve_rest_handshakes_count (ReeveRestHandshakes *self)
{
  return self->by_age.length;
}
