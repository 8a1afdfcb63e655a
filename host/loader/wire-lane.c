/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One buffer that grows to one message at most. While the receiver does not take what is in it
 * nothing more is read, so the sender waits: the kernel's socket is the only queue. */
#include "wire-lane.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire-message.h"

#define REEVE_WIRE_LANE_BUFFER 16384
/* other lanes have their turn then */
#define REEVE_WIRE_LANE_TURNS 32

void
reeve_wire_lane_init (ReeveWireLane *self, int from, int to, gsize most, ReeveWireLaneCheck check,
                      gpointer user_data)
{
  *self = (ReeveWireLane){
    .from = from, .to = to, .most = most, .check = check, .user_data = user_data
  };
  self->size = REEVE_WIRE_LANE_BUFFER;
  self->data = g_malloc (self->size);
}

void
reeve_wire_lane_clear (ReeveWireLane *self)
{
  for (guint i = 0; i < self->n_kept; i++)
    close (self->fds[i]);
  self->n_kept = 0;
  g_clear_pointer (&self->data, g_free);
}

static gboolean
reeve_wire_lane_fail (GError **error, const char *what)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s", what);
  return FALSE;
}

/* ---- reading ---- */

static gboolean
reeve_wire_lane_keep (ReeveWireLane *self, const int *fds, guint count)
{
  guint kept = 0;

  for (guint i = 0; i < count; i++)
    {
      if (self->no_fds || self->n_kept == G_N_ELEMENTS (self->fds))
        close (fds[i]);
      else
        {
          self->fds[self->n_kept++] = fds[i];
          kept++;
        }
    }
  return kept == count;
}

/* What came beside the bytes: who wrote them, and descriptors. */
static gboolean
reeve_wire_lane_look (ReeveWireLane *self, struct msghdr *header, GError **error)
{
  gboolean known = self->sender == 0;
  gboolean kept = (header->msg_flags & MSG_CTRUNC) == 0;

  for (struct cmsghdr *one = CMSG_FIRSTHDR (header); one != NULL; one = CMSG_NXTHDR (header, one))
    {
      gsize length = one->cmsg_len - CMSG_LEN (0);
      int fds[sizeof (struct ucred) + REEVE_WIRE_LANE_MAX_FDS * 4];
      struct ucred credentials = { 0 };

      if (one->cmsg_level != SOL_SOCKET)
        continue;
      if (one->cmsg_type == SCM_RIGHTS && length <= sizeof fds)
        {
          memcpy (fds, CMSG_DATA (one), length);
          kept = reeve_wire_lane_keep (self, fds, (guint) (length / sizeof *fds)) && kept;
        }
      if (one->cmsg_type == SCM_CREDENTIALS && length == sizeof credentials)
        {
          memcpy (&credentials, CMSG_DATA (one), length);
          known = known || credentials.pid == self->sender;
        }
    }
  if (!kept)
    return reeve_wire_lane_fail (error, "it sent descriptors that it must not");
  return known || reeve_wire_lane_fail (error, "another process writes in its place");
}

/* Room behind what there is; for the message that has begun, and for little else. */
static gboolean
reeve_wire_lane_make_room (ReeveWireLane *self, gsize needed)
{
  if (self->start > 0 && (self->start == self->end || self->end == self->size))
    {
      memmove (self->data, self->data + self->start, self->end - self->start);
      self->checked -= self->start;
      self->end -= self->start;
      self->fds_at -= MIN (self->fds_at, self->start);
      self->start = 0;
    }
  if (self->start == self->end && self->size > REEVE_WIRE_LANE_BUFFER
      && needed <= REEVE_WIRE_LANE_BUFFER)
    {
      g_free (self->data);
      self->size = REEVE_WIRE_LANE_BUFFER;
      self->data = g_malloc (self->size);
    }
  if (self->checked - self->start == 0 && needed > self->size)
    {
      self->size = needed;
      self->data = g_realloc (self->data, self->size);
    }
  return self->end < self->size;
}

static ReeveWireLaneState
reeve_wire_lane_read_some (ReeveWireLane *self, gsize most, gboolean *more, GError **error)
{
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (sizeof (struct ucred))
               + CMSG_SPACE (REEVE_WIRE_LANE_MAX_FDS * 2 * sizeof (int))];
  } control;
  struct iovec part
      = { .iov_base = self->data + self->end, .iov_len = MIN (self->size - self->end, most) };
  struct msghdr header = { .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes };
  gssize length = recvmsg (self->from, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

  *more = length > 0;
  if (length > 0 && !reeve_wire_lane_look (self, &header, error))
    return REEVE_WIRE_LANE_BROKEN;
  if (length > 0)
    {
      self->end += (gsize) length;
      self->taken += (guint64) length;
      return REEVE_WIRE_LANE_WAITING;
    }
  return length < 0 && (errno == EAGAIN || errno == EINTR) ? REEVE_WIRE_LANE_WAITING
                                                           : REEVE_WIRE_LANE_ENDED;
}

ReeveWireLaneState
reeve_wire_lane_read (ReeveWireLane *self, GError **error)
{
  gboolean more = FALSE;

  return reeve_wire_lane_make_room (self, 0)
             ? reeve_wire_lane_read_some (self, self->size, &more, error)
             : REEVE_WIRE_LANE_WAITING;
}

/* ---- looking ---- */

/* Bytes of the message that begins where nobody has looked; 0: not known yet */
static gboolean
reeve_wire_lane_measure (ReeveWireLane *self, gsize *length, GError **error)
{
  *length = 0;
  if (self->end - self->checked < REEVE_WIRE_MESSAGE_HEAD)
    return TRUE;
  *length = reeve_wire_message_measure (self->data + self->checked, self->most, error);
  return *length != 0;
}

static gboolean
reeve_wire_lane_look_on (ReeveWireLane *self, gsize *needed, GError **error)
{
  gsize length = 0;

  for (;;)
    {
      guint n_fds = 0;

      /* one message with descriptors at a time */
      if (self->n_fds > 0)
        return TRUE;
      if (!reeve_wire_lane_measure (self, &length, error))
        return FALSE;
      *needed = length;
      if (length == 0 || self->end - self->checked < length)
        return TRUE;
      if (!self->check (self->user_data, self->data + self->checked, length, &n_fds, error))
        return FALSE;
      if (n_fds > self->n_kept || n_fds > REEVE_WIRE_LANE_MAX_FDS)
        return reeve_wire_lane_fail (error, "a message without its descriptors");
      self->n_fds = n_fds;
      self->fds_at = self->checked;
      self->checked += length;
    }
}

gboolean
reeve_wire_lane_is_within (const ReeveWireLane *self)
{
  return !self->full && self->end > self->checked;
}

/* ---- writing ---- */

/* The descriptors of the message that begins here went with its first byte. */
static void
reeve_wire_lane_drop_fds (ReeveWireLane *self)
{
  for (guint i = 0; i < self->n_fds; i++)
    close (self->fds[i]);
  self->n_kept -= self->n_fds;
  memmove (self->fds, self->fds + self->n_fds, self->n_kept * sizeof *self->fds);
  self->n_fds = 0;
}

static gssize
reeve_wire_lane_send (ReeveWireLane *self)
{
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (REEVE_WIRE_LANE_MAX_FDS * sizeof (int))];
  } control = { 0 };
  gboolean with = self->n_fds > 0 && self->start == self->fds_at;
  gsize until = self->n_fds > 0 && !with ? self->fds_at : self->checked;
  struct iovec part = { .iov_base = self->data + self->start, .iov_len = until - self->start };
  struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
  gssize sent = 0;

  if (with)
    {
      header.msg_control = control.bytes;
      header.msg_controllen = CMSG_SPACE (self->n_fds * sizeof (int));
      control.align = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                                        .cmsg_type = SCM_RIGHTS,
                                        .cmsg_len = CMSG_LEN (self->n_fds * sizeof (int)) };
      memcpy (CMSG_DATA (CMSG_FIRSTHDR (&header)), self->fds, self->n_fds * sizeof (int));
    }
  sent = sendmsg (self->to, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent > 0 && with)
    reeve_wire_lane_drop_fds (self);
  return sent;
}

static ReeveWireLaneState
reeve_wire_lane_write (ReeveWireLane *self)
{
  self->full = FALSE;
  while (self->start < self->checked)
    {
      gssize sent = reeve_wire_lane_send (self);

      if (sent < 0 && errno == EAGAIN)
        {
          self->full = TRUE;
          return REEVE_WIRE_LANE_WAITING;
        }
      if (sent < 0 && errno != EINTR)
        return REEVE_WIRE_LANE_ENDED;
      self->start += sent > 0 ? (gsize) sent : 0;
    }
  return REEVE_WIRE_LANE_WAITING;
}

ReeveWireLaneState
reeve_wire_lane_run (ReeveWireLane *self, gsize most, GError **error)
{
  guint64 until = self->taken + most;

  for (guint turn = 0; turn < REEVE_WIRE_LANE_TURNS; turn++)
    {
      ReeveWireLaneState state = REEVE_WIRE_LANE_WAITING;
      gboolean more = FALSE;
      gsize needed = 0;

      if (!reeve_wire_lane_look_on (self, &needed, error))
        return REEVE_WIRE_LANE_BROKEN;
      if (self->start < self->checked)
        {
          state = reeve_wire_lane_write (self);
          if (state != REEVE_WIRE_LANE_WAITING || self->full)
            return state;
          continue;
        }
      if (self->taken >= until || !reeve_wire_lane_make_room (self, needed))
        return state;
      state = reeve_wire_lane_read_some (self, (gsize) (until - self->taken), &more, error);
      if (state != REEVE_WIRE_LANE_WAITING || !more)
        return state;
    }
  return REEVE_WIRE_LANE_WAITING;
}
