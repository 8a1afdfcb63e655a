/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One buffer, which is given back between requests: an idle connection holds none. */
#include "intake.h"

#include <string.h>

struct _ReeveRestIntake
{
  guint8 *data;
  gsize size;
  gsize begin; /* what was not taken yet … */
  gsize end;   /* … and where it ends */
  gsize max_header;
  ReeveRestIntakeState state;
  ReeveRestHead head;
  ReeveRestFraming framing;
  char *sent;       /* (nullable): the target, where the reader is given another one */
  gsize head_left;  /* of the head, not taken yet */
  gboolean in_head; /* some of it was */
  guint status;
  const char *detail;
};

/**
 * reeve_rest_intake_new:
 * @max_header: bytes of a head
 *
 * Returns: (transfer full): an intake that waits for its first request
 */
ReeveRestIntake *
reeve_rest_intake_new (gsize max_header)
{
  ReeveRestIntake *self = g_new0 (ReeveRestIntake, 1);

  self->max_header = max_header;
  reeve_rest_head_init (&self->head, max_header);
  return self;
}

void
reeve_rest_intake_free (ReeveRestIntake *self)
{
  g_free (self->data);
  g_free (self->sent);
  g_free (self);
}

static void
reeve_rest_intake_append (ReeveRestIntake *self, const void *data, gsize length)
{
  if (self->begin > 0)
    {
      memmove (self->data, self->data + self->begin, self->end - self->begin);
      self->end -= self->begin;
      self->begin = 0;
    }
  if (self->end + length > self->size)
    {
      self->size = MAX (self->size * 2, self->end + length);
      self->data = g_realloc (self->data, self->size);
    }
  memcpy (self->data + self->end, data, length);
  self->end += length;
}

/* libsoup (3.2) answers by itself, and barely, what is sent to * or to an https:// address. It is
 * given the path alone, in the same bytes: the method is moved to where the path begins. The target
 * that counts is what reeve_rest_intake_dup_target() says. */
static void
reeve_rest_intake_show_path (ReeveRestIntake *self)
{
  ReeveRestHead *head = &self->head;
  char *data = (char *) self->data + self->begin;
  char *target = data + head->target.offset;
  gsize skip = 0;

  if (*target == '/')
    return;
  self->sent = g_strndup (target, head->target.length);
  if (*target != '*')
    skip = (gsize) ((char *) memchr (target, ':', head->target.length) - target) + 3
           + head->host.length; /* the address is at the Host, as was looked at */
  if (skip == head->target.length || target[skip] == '?')
    skip--;
  target[skip] = '/';
  memmove (data + head->start + skip, data + head->start, head->target.offset - head->start);
  head->start += skip;
  head->method.offset += skip;
  head->target.offset += skip;
  head->target.length -= skip;
}

static void
reeve_rest_intake_scan (ReeveRestIntake *self)
{
  switch (reeve_rest_head_scan (&self->head, (const char *) self->data + self->begin,
                                self->end - self->begin))
    {
    case REEVE_REST_HEAD_MORE:
      /* blank lines between two requests are not the beginning of one */
      self->state = self->end - self->begin > self->head.start ? REEVE_REST_INTAKE_HEAD
                                                               : REEVE_REST_INTAKE_EMPTY;
      return;
    case REEVE_REST_HEAD_DONE:
      self->state = REEVE_REST_INTAKE_REQUEST;
      reeve_rest_intake_show_path (self);
      self->begin += self->head.start;
      self->head_left = self->head.end - self->head.start;
      self->in_head = FALSE;
      reeve_rest_framing_init (&self->framing, &self->head);
      return;
    case REEVE_REST_HEAD_BAD:
    default:
      self->state = REEVE_REST_INTAKE_BAD;
      self->status = self->head.status;
      self->detail = self->head.detail;
    }
}

ReeveRestIntakeState
reeve_rest_intake_add (ReeveRestIntake *self, const void *data, gsize length)
{
  reeve_rest_intake_append (self, data, length);
  if (self->state == REEVE_REST_INTAKE_EMPTY || self->state == REEVE_REST_INTAKE_HEAD)
    reeve_rest_intake_scan (self);
  return self->state;
}

ReeveRestIntakeState
reeve_rest_intake_get_state (ReeveRestIntake *self)
{
  return self->state;
}

gboolean
reeve_rest_intake_has_bytes (ReeveRestIntake *self)
{
  return self->begin < self->end;
}

gboolean
reeve_rest_intake_is_taken (ReeveRestIntake *self)
{
  return self->state == REEVE_REST_INTAKE_REQUEST && self->head_left == 0
         && reeve_rest_framing_is_complete (&self->framing);
}

static void
reeve_rest_intake_give_back (ReeveRestIntake *self)
{
  g_clear_pointer (&self->data, g_free);
  self->size = self->begin = self->end = 0;
}

/* The first line of a head is given alone: libsoup makes its buffer for heads twice as large behind
 * it, which it cannot do in place where bytes that it has read too early lie next to it. It keeps
 * that buffer until the answer has ended, so a copy costs each open stream 8 KiB of memory that
 * nothing else ever wrote to. */
static gsize
reeve_rest_intake_find_line (ReeveRestIntake *self, gsize length)
{
  const guint8 *start = self->data + self->begin;
  const guint8 *end = memchr (start, '\n', length);

  return end != NULL ? (gsize) (end - start) + 1 : length;
}

gsize
reeve_rest_intake_take (ReeveRestIntake *self, void *buffer, gsize size)
{
  gsize n = MIN (size, self->end - self->begin);

  if (self->state != REEVE_REST_INTAKE_REQUEST)
    return 0;
  if (self->head_left > 0)
    {
      n = MIN (n, self->head_left);
      n = self->in_head ? n : reeve_rest_intake_find_line (self, n);
      self->in_head = TRUE;
      self->head_left -= n;
    }
  else if (!reeve_rest_framing_take (&self->framing, (const char *) self->data + self->begin, n,
                                     &n))
    {
      self->state = REEVE_REST_INTAKE_BAD;
      self->status = 400;
      self->detail = self->framing.detail;
      return 0;
    }
  if (n > 0)
    memcpy (buffer, self->data + self->begin, n);
  self->begin += n;
  if (self->begin == self->end && reeve_rest_intake_is_taken (self))
    reeve_rest_intake_give_back (self);
  return n;
}

const char *
reeve_rest_intake_peek_head (ReeveRestIntake *self, gsize *length)
{
  *length = self->head_left;
  return (const char *) self->data + self->begin;
}

void
reeve_rest_intake_skip_head (ReeveRestIntake *self)
{
  self->begin += self->head_left;
  self->head_left = 0;
  self->in_head = TRUE;
}

ReeveRestIntakeState
reeve_rest_intake_next (ReeveRestIntake *self)
{
  g_return_val_if_fail (reeve_rest_intake_is_taken (self), self->state);
  reeve_rest_head_init (&self->head, self->max_header);
  g_clear_pointer (&self->sent, g_free);
  self->state = REEVE_REST_INTAKE_EMPTY;
  if (self->begin < self->end)
    reeve_rest_intake_scan (self);
  else
    reeve_rest_intake_give_back (self);
  return self->state;
}

const ReeveRestHead *
reeve_rest_intake_get_head (ReeveRestIntake *self)
{
  return &self->head;
}

char *
reeve_rest_intake_dup_target (ReeveRestIntake *self)
{
  gsize offset = self->head.target.offset - self->head.start;

  if (self->sent != NULL)
    return g_strdup (self->sent);
  return g_strndup ((const char *) self->data + self->begin + offset, self->head.target.length);
}

guint64
reeve_rest_intake_get_content (ReeveRestIntake *self)
{
  return self->framing.content;
}

guint
reeve_rest_intake_get_status (ReeveRestIntake *self)
{
  return self->status;
}

const char *
reeve_rest_intake_get_detail (ReeveRestIntake *self)
{
  return self->detail;
}
