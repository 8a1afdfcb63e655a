/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked and said of the request that a connection serves. */
#include "connection-private.h"

/* ---- a request that libsoup does not know ---- */

const ReeveRestHead *
reeve_rest_connection_get_head (ReeveRestConnection *self)
{
  return reeve_rest_intake_get_head (self->intake);
}

const char *
reeve_rest_connection_peek_head (ReeveRestConnection *self, gsize *length)
{
  return reeve_rest_intake_peek_head (self->intake, length);
}

void
reeve_rest_connection_skip_head (ReeveRestConnection *self)
{
  reeve_rest_intake_skip_head (self->intake);
}

void
reeve_rest_connection_take_over (ReeveRestConnection *self, ReeveRestConnectionFunc work,
                                 ReeveRestConnectionFunc cut, gpointer user_data)
{
  self->on_work = work;
  self->on_cut = cut;
  self->work_data = user_data;
}

gboolean
reeve_rest_connection_is_taken (ReeveRestConnection *self)
{
  return reeve_rest_intake_is_taken (self->intake);
}

/* ---- the request ---- */

const char *
reeve_rest_connection_get_target (ReeveRestConnection *self)
{
  return self->target;
}

void
reeve_rest_connection_begin (ReeveRestConnection *self, ReeveRestConnectionFunc gone,
                             ReeveRestConnectionFunc half, gpointer user_data)
{
  self->on_gone = gone;
  self->on_half = half;
  self->user_data = user_data;
}

void
reeve_rest_connection_end (ReeveRestConnection *self)
{
  self->on_gone = self->on_half = NULL;
}

void
reeve_rest_connection_set_received (ReeveRestConnection *self)
{
  self->received = TRUE;
}

void
reeve_rest_connection_set_answered (ReeveRestConnection *self)
{
  self->answered = TRUE;
}

gboolean
reeve_rest_connection_is_kept (ReeveRestConnection *self)
{
  return self->keep;
}

void
reeve_rest_connection_set_last (ReeveRestConnection *self)
{
  self->keep = FALSE;
}
