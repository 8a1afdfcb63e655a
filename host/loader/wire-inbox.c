/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One buffer that grows to one message at most. Who writes the kernel says with the bytes; a
 * descriptor breaks the rules. */
#include "wire-inbox.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/wire-message.h"

#define REEVE_WIRE_INBOX_BUFFER 16384
/* other sockets have their turn then */
#define REEVE_WIRE_INBOX_TURNS 32
/* descriptors that are taken off a socket only to be closed */
#define REEVE_WIRE_INBOX_FDS 32

void
reeve_wire_inbox_init (ReeveWireInbox *self, int fd, gsize most, ReeveWireInboxTake take,
                       gpointer user_data)
{
  *self = (ReeveWireInbox){ .fd = fd, .most = most, .take = take, .user_data = user_data };
  self->size = REEVE_WIRE_INBOX_BUFFER;
  self->data = g_malloc (self->size);
}

void
reeve_wire_inbox_clear (ReeveWireInbox *self)
{
  g_clear_pointer (&self->data, g_free);
}

static gboolean
reeve_wire_inbox_fail (GError **error, const char *what)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s", what);
  return FALSE;
}

/* ---- reading ---- */

/* Returns whether there were any. */
static gboolean
reeve_wire_inbox_close_fds (struct cmsghdr *message)
{
  gsize length = message->cmsg_len - CMSG_LEN (0);
  int fds[REEVE_WIRE_INBOX_FDS * 2];

  memcpy (fds, CMSG_DATA (message), MIN (length, sizeof fds));
  for (gsize i = 0; i < MIN (length, sizeof fds) / sizeof *fds; i++)
    close (fds[i]);
  return length > 0;
}

/* What came beside the bytes: who wrote them, and descriptors. */
static gboolean
reeve_wire_inbox_look (ReeveWireInbox *self, struct msghdr *header, GError **error)
{
  gboolean known = self->sender == 0;
  gboolean good = (header->msg_flags & MSG_CTRUNC) == 0;

  for (struct cmsghdr *one = CMSG_FIRSTHDR (header); one != NULL; one = CMSG_NXTHDR (header, one))
    {
      struct ucred credentials = { 0 };

      if (one->cmsg_level != SOL_SOCKET)
        continue;
      if (one->cmsg_type == SCM_RIGHTS)
        good = !reeve_wire_inbox_close_fds (one) && good;
      if (one->cmsg_type == SCM_CREDENTIALS && one->cmsg_len == CMSG_LEN (sizeof credentials))
        {
          memcpy (&credentials, CMSG_DATA (one), sizeof credentials);
          known = known || credentials.pid == self->sender;
        }
    }
  if (!good)
    return reeve_wire_inbox_fail (error, "it sent descriptors that it must not");
  return known || reeve_wire_inbox_fail (error, "another process writes in its place");
}

/* Room behind what there is; for the message that has begun, and for little else. */
static gboolean
reeve_wire_inbox_make_room (ReeveWireInbox *self, gsize needed)
{
  if (self->start > 0)
    {
      memmove (self->data, self->data + self->start, self->end - self->start);
      self->end -= self->start;
      self->start = 0;
    }
  if (self->end == 0 && self->size > REEVE_WIRE_INBOX_BUFFER && needed <= REEVE_WIRE_INBOX_BUFFER)
    {
      g_free (self->data);
      self->size = REEVE_WIRE_INBOX_BUFFER;
      self->data = g_malloc (self->size);
    }
  if (needed > self->size)
    {
      self->size = needed;
      self->data = g_realloc (self->data, self->size);
    }
  return self->end < self->size;
}

static ReeveWireInboxState
reeve_wire_inbox_read_some (ReeveWireInbox *self, gsize most, gboolean *more, GError **error)
{
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (sizeof (struct ucred))
               + CMSG_SPACE (REEVE_WIRE_INBOX_FDS * sizeof (int))];
  } control;
  gsize room = MIN (self->size - self->end, most);
  struct iovec part = { .iov_base = self->data + self->end, .iov_len = room };
  struct msghdr header = { .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes };
  gssize length = recvmsg (self->fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

  /* what did not fill the room was all there is */
  *more = length > 0 && (gsize) length == room;
  if (length > 0 && !reeve_wire_inbox_look (self, &header, error))
    return REEVE_WIRE_INBOX_BROKEN;
  if (length > 0)
    {
      self->end += (gsize) length;
      self->taken += (guint64) length;
      return REEVE_WIRE_INBOX_WAITING;
    }
  return length < 0 && (errno == EAGAIN || errno == EINTR) ? REEVE_WIRE_INBOX_WAITING
                                                           : REEVE_WIRE_INBOX_ENDED;
}

ReeveWireInboxState
reeve_wire_inbox_read (ReeveWireInbox *self, GError **error)
{
  gboolean more = FALSE;

  return reeve_wire_inbox_make_room (self, 0)
             ? reeve_wire_inbox_read_some (self, self->size, &more, error)
             : REEVE_WIRE_INBOX_WAITING;
}

/* ---- taking ---- */

/* Bytes of the message that begins here; 0: not known yet */
static gboolean
reeve_wire_inbox_measure (ReeveWireInbox *self, gsize *length, GError **error)
{
  *length = 0;
  if (self->end - self->start < WIRE_MESSAGE_HEAD)
    return TRUE;
  *length = wire_message_measure (self->data + self->start, self->most, error);
  return *length != 0;
}

/* All messages that are whole. @needed: (out): bytes of the one that is not; 0: not known */
static gboolean
reeve_wire_inbox_take_all (ReeveWireInbox *self, gsize *needed, GError **error)
{
  for (;;)
    {
      if (!reeve_wire_inbox_measure (self, needed, error))
        return FALSE;
      if (*needed == 0 || self->end - self->start < *needed)
        return TRUE;
      if (!self->take (self->user_data, self->data + self->start, *needed, error))
        return FALSE;
      self->start += *needed;
    }
}

gboolean
reeve_wire_inbox_is_within (const ReeveWireInbox *self)
{
  return self->end > self->start;
}

ReeveWireInboxState
reeve_wire_inbox_run (ReeveWireInbox *self, gsize most, GError **error)
{
  guint64 until = self->taken + most;
  ReeveWireInboxState state = REEVE_WIRE_INBOX_WAITING;
  gboolean more = TRUE;

  for (guint turn = 0;; turn++)
    {
      gsize needed = 0;

      /* behind the last turn too: nobody else looks for a message that is here already */
      if (!reeve_wire_inbox_take_all (self, &needed, error))
        return REEVE_WIRE_INBOX_BROKEN;
      if (turn == REEVE_WIRE_INBOX_TURNS || !more || state != REEVE_WIRE_INBOX_WAITING
          || self->taken >= until || !reeve_wire_inbox_make_room (self, needed))
        return state;
      state = reeve_wire_inbox_read_some (self, (gsize) (until - self->taken), &more, error);
      if (state == REEVE_WIRE_INBOX_BROKEN)
        return state;
    }
}
