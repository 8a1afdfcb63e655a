/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* recvmsg(2), which gives descriptors no later than the first byte of the message that they are of.
 * The host is who confined this process: what it sends is not held against anything but its form.
 */
#include "runner-input.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <gio/gunixfdlist.h>

#include "wire/wire-message.h"

#define RUNNER_INPUT_SIZE     65536 /* a question to a model, mostly */
#define RUNNER_INPUT_HEAD     WIRE_MESSAGE_HEAD
#define RUNNER_INPUT_MAX_LINE 512
#define RUNNER_INPUT_MAX_FDS  64

void
runner_input_init (RunnerInput *self, int fd)
{
  *self = (RunnerInput){ .fd = fd, .size = RUNNER_INPUT_SIZE };
  self->data = g_malloc (self->size);
  self->fds = g_array_new (FALSE, FALSE, sizeof (int));
}

static void
runner_input_keep_fds (RunnerInput *self, struct msghdr *header)
{
  for (struct cmsghdr *one = CMSG_FIRSTHDR (header); one != NULL; one = CMSG_NXTHDR (header, one))
    {
      int fds[RUNNER_INPUT_MAX_FDS];
      gsize length = one->cmsg_len - CMSG_LEN (0);

      if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS || length > sizeof fds)
        continue;
      memcpy (fds, CMSG_DATA (one), length);
      g_array_append_vals (self->fds, fds, (guint) (length / sizeof *fds));
    }
}

/* Room for @needed bytes from the start of what is there. */
static void
runner_input_make_room (RunnerInput *self, gsize needed)
{
  if (self->start > 0)
    memmove (self->data, self->data + self->start, self->end - self->start);
  self->end -= self->start;
  self->start = 0;
  /* what was large is let go */
  if (needed <= self->size && (self->end > 0 || self->size == RUNNER_INPUT_SIZE))
    return;
  self->size = MAX (needed, RUNNER_INPUT_SIZE);
  self->data = g_realloc (self->data, self->size);
}

/* @flags: MSG_DONTWAIT, or 0 */
static RunnerInputState
runner_input_read_some (RunnerInput *self, int flags)
{
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (RUNNER_INPUT_MAX_FDS * sizeof (int))];
  } control;
  struct iovec part = { .iov_base = self->data + self->end, .iov_len = self->size - self->end };
  struct msghdr header = { .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes };
  gssize length = 0;

  do
    length = recvmsg (self->fd, &header, MSG_CMSG_CLOEXEC | flags);
  while (length < 0 && errno == EINTR);
  if (length < 0 && errno == EAGAIN)
    return RUNNER_INPUT_WAITING;
  if (length <= 0)
    return RUNNER_INPUT_ENDED;
  /* epoll(7): a stream that gave less than there was room for has no more; but it ends a read
   * behind descriptors */
  self->drained = (gsize) length < part.iov_len && header.msg_controllen == 0;
  runner_input_keep_fds (self, &header);
  self->end += (gsize) length;
  return RUNNER_INPUT_MESSAGE;
}

char *
runner_input_read_line (RunnerInput *self)
{
  for (;;)
    {
      const guint8 *from = self->data + self->start;
      const guint8 *end = memchr (from, '\n', self->end - self->start);

      if (end != NULL)
        {
          char *line = g_strndup ((const char *) from, (gsize) (end - from));

          self->start += (gsize) (end - from) + 1;
          return g_strchomp (line);
        }
      if (self->end - self->start > RUNNER_INPUT_MAX_LINE
          || runner_input_read_some (self, 0) == RUNNER_INPUT_ENDED)
        return NULL;
    }
}

/* The descriptors of @message, which come first of those that are kept. */
static void
runner_input_attach_fds (RunnerInput *self, WireLetter *message)
{
  guint count = MIN (message->head.n_fds, self->fds->len);

  if (count == 0)
    return;
  message->fds
      = g_unix_fd_list_new_from_array ((const int *) (gconstpointer) self->fds->data, (int) count);
  g_array_remove_range (self->fds, 0, count);
}

/* Bytes of the message that begins here, or of its head; 0: it is none. */
static gssize
runner_input_measure (const RunnerInput *self, GError **error)
{
  return self->end - self->start < RUNNER_INPUT_HEAD
             ? RUNNER_INPUT_HEAD
             : (gssize) wire_message_measure (self->data + self->start, WIRE_LETTER_MAX, error);
}

/* (transfer full) (nullable): the @length bytes that are next, as a message */
static WireLetter *
runner_input_cut (RunnerInput *self, gsize length, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (self->data + self->start, length);
  WireLetter *message = wire_letter_read_call (bytes, error);

  self->start += length;
  if (message != NULL)
    runner_input_attach_fds (self, message);
  return message;
}

void
runner_input_wake (RunnerInput *self)
{
  self->drained = FALSE;
}

RunnerInputState
runner_input_read (RunnerInput *self, WireLetter **message)
{
  g_autoptr (GError) error = NULL;
  gssize needed = runner_input_measure (self, &error);

  while (needed > 0 && self->end - self->start < (gsize) needed)
    {
      RunnerInputState state = RUNNER_INPUT_MESSAGE;

      if (self->drained)
        return RUNNER_INPUT_WAITING;
      if (self->start == self->end || self->start + (gsize) needed > self->size)
        runner_input_make_room (self, (gsize) needed);
      state = runner_input_read_some (self, MSG_DONTWAIT);
      if (state != RUNNER_INPUT_MESSAGE)
        return state;
      needed = runner_input_measure (self, &error);
    }
  *message = needed > 0 ? runner_input_cut (self, (gsize) needed, &error) : NULL;
  if (*message != NULL)
    return RUNNER_INPUT_MESSAGE;
  g_printerr ("the wire: %s\n", error->message);
  return RUNNER_INPUT_ENDED;
}
