/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread writes at a time; it is no lock that says so, for no lock is held while it does. What
 * others have meanwhile waits, and is written by the one that is at it. */
#include "wire-outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REEVE_WIRE_OUTBOX_MAX_FDS 16 /* of one message */
#define REEVE_WIRE_OUTBOX_WAIT_US (10 * 1000)

/* A message that waits, or what is left of it. */
typedef struct
{
  ReeveWireParcel parcel; /* its bytes are @copy's */
  guint8 *copy;
  int fds[REEVE_WIRE_OUTBOX_MAX_FDS];
  gsize sent;
} ReeveWireOutboxItem;

struct _ReeveWireOutbox
{
  int fd;
  ReeveWireRules *rules;
  GMutex lock;
  GQueue waiting; /* ReeveWireOutboxItem */
  gboolean open;
  gboolean writing; /* somebody does */
  gboolean full;    /* the socket takes no more now */
  gint64 again;     /* when it is tried again; 0: when the socket has room */
  gboolean closed;
};

ReeveWireOutbox *
reeve_wire_outbox_new (int fd, ReeveWireRules *rules)
{
  ReeveWireOutbox *self = g_new0 (ReeveWireOutbox, 1);

  self->fd = fd;
  self->rules = rules;
  g_mutex_init (&self->lock);
  g_queue_init (&self->waiting);
  return self;
}

static void
reeve_wire_outbox_drop_fds (ReeveWireOutboxItem *item)
{
  for (guint i = 0; i < item->parcel.n_fds; i++)
    close (item->fds[i]);
  item->parcel.n_fds = 0;
}

static void
reeve_wire_outbox_drop (gpointer data)
{
  ReeveWireOutboxItem *item = data;

  reeve_wire_outbox_drop_fds (item);
  g_free (item->copy);
  g_free (item);
}

void
reeve_wire_outbox_free (ReeveWireOutbox *self)
{
  g_queue_clear_full (&self->waiting, reeve_wire_outbox_drop);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
reeve_wire_outbox_close (ReeveWireOutbox *self)
{
  GQueue waiting = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  self->full = FALSE;
  waiting = self->waiting;
  g_queue_init (&self->waiting);
  g_mutex_unlock (&self->lock);
  g_queue_clear_full (&waiting, reeve_wire_outbox_drop);
}

/* (transfer full) (nullable): what of @parcel is not @sent; its descriptors went with its first
 * byte
 */
static ReeveWireOutboxItem *
reeve_wire_outbox_keep (const ReeveWireParcel *parcel, gsize sent, GError **error)
{
  ReeveWireOutboxItem *item = g_new0 (ReeveWireOutboxItem, 1);
  guint count = sent == 0 ? MIN (parcel->n_fds, REEVE_WIRE_OUTBOX_MAX_FDS) : 0;

  item->parcel = *parcel;
  item->copy = g_memdup2 (parcel->data, parcel->length);
  item->parcel.data = item->copy;
  item->parcel.fds = item->fds;
  item->sent = sent;
  for (item->parcel.n_fds = 0; item->parcel.n_fds < count; item->parcel.n_fds++)
    {
      int copy = fcntl (parcel->fds[item->parcel.n_fds], F_DUPFD_CLOEXEC, 0);

      if (copy < 0)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "a descriptor of a message: %s",
                       g_strerror (errno));
          reeve_wire_outbox_drop (item);
          return NULL;
        }
      item->fds[item->parcel.n_fds] = copy;
    }
  return item;
}

/* ---- writing, by one thread and without the lock ---- */

/* unix(7), send(2): too many descriptors are on their way between processes of this user's, or the
 * kernel has no memory: that passes, and is no fault of the runner's. */
static gboolean
reeve_wire_outbox_is_short (int code)
{
  return code == ETOOMANYREFS || code == ENOBUFS || code == ENOMEM;
}

/* Bytes that the socket took; 0: it has no room, or is of no more use: a runner that does not read
 * any more is at its end, whatever else it says, and whoever reads finds that. *@again: (out): when
 * it is to be tried again, where it was not for want of room */
static gsize
reeve_wire_outbox_write_some (ReeveWireOutbox *self, const ReeveWireParcel *parcel, gsize sent,
                              gint64 *again)
{
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (REEVE_WIRE_OUTBOX_MAX_FDS * sizeof (int))];
  } control;
  struct iovec part = { .iov_base = parcel->data + sent, .iov_len = parcel->length - sent };
  struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
  gssize length = 0;

  if (sent == 0 && parcel->n_fds > 0)
    {
      gsize size = MIN (parcel->n_fds, REEVE_WIRE_OUTBOX_MAX_FDS) * sizeof (int);

      memset (&control, 0, sizeof control);
      header.msg_control = control.bytes;
      header.msg_controllen = CMSG_SPACE (size);
      control.align = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                                        .cmsg_type = SCM_RIGHTS,
                                        .cmsg_len = CMSG_LEN (size) };
      memcpy (CMSG_DATA (CMSG_FIRSTHDR (&header)), parcel->fds, size);
    }
  do
    length = sendmsg (self->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (length < 0 && errno == EINTR);
  if (length < 0 && reeve_wire_outbox_is_short (errno))
    *again = g_get_monotonic_time () + REEVE_WIRE_OUTBOX_WAIT_US;
  else if (length < 0 && errno != EAGAIN)
    shutdown (self->fd, SHUT_RDWR);
  return length > 0 ? (gsize) length : 0;
}

/* All that the socket takes now; where it is closed whoever reads says so. Returns when to try
 * again; 0: when the socket has room */
static gint64
reeve_wire_outbox_write (ReeveWireOutbox *self, ReeveWireParcel *parcel, gsize *sent)
{
  gint64 again = 0;
  gsize one = 0;

  /* with its first byte it may be answered, and one that is answered may ask again; once, however
   * often it is tried: its serial may be another call's by then */
  if (parcel->asks != 0)
    reeve_wire_rules_ask (self->rules, parcel->asks);
  if (parcel->answers != 0)
    reeve_wire_rules_answer (self->rules, parcel->answers);
  parcel->asks = 0;
  parcel->answers = 0;
  do
    {
      one = reeve_wire_outbox_write_some (self, parcel, *sent, &again);
      *sent += one;
    }
  while (one > 0 && *sent < parcel->length);
  return again;
}

/* ---- whose turn it is ---- */

/* What waits, until nothing does or the socket takes no more. Under the lock, which it gives up in
 * between; the caller has said that it writes. */
static void
reeve_wire_outbox_drain (ReeveWireOutbox *self)
{
  ReeveWireOutboxItem *item = NULL;
  gint64 again = 0;

  while (!self->closed && !self->full && (item = g_queue_pop_head (&self->waiting)) != NULL)
    {
      g_mutex_unlock (&self->lock);
      again = reeve_wire_outbox_write (self, &item->parcel, &item->sent);
      if (item->sent > 0)
        reeve_wire_outbox_drop_fds (item);
      if (item->sent == item->parcel.length)
        g_clear_pointer (&item, reeve_wire_outbox_drop);
      g_mutex_lock (&self->lock);
      if (item != NULL)
        g_queue_push_head (&self->waiting, item);
      self->full = item != NULL;
      self->again = again;
    }
  if (self->closed)
    g_queue_clear_full (&self->waiting, reeve_wire_outbox_drop);
  self->writing = FALSE;
}

/* The rest of @parcel, first of what waits; the caller writes. */
static gboolean
reeve_wire_outbox_put_back (ReeveWireOutbox *self, const ReeveWireParcel *parcel, gsize sent,
                            gint64 again, GError **error)
{
  ReeveWireOutboxItem *rest = reeve_wire_outbox_keep (parcel, sent, error);

  g_mutex_lock (&self->lock);
  if (rest != NULL)
    g_queue_push_head (&self->waiting, rest);
  self->full = rest != NULL;
  self->again = again;
  reeve_wire_outbox_drain (self);
  g_mutex_unlock (&self->lock);
  return rest != NULL;
}

gboolean
reeve_wire_outbox_send (ReeveWireOutbox *self, const ReeveWireParcel *parcel, GError **error)
{
  ReeveWireParcel tried = *parcel;
  ReeveWireOutboxItem *item = NULL;
  gboolean mine = FALSE;
  gsize sent = 0;
  gint64 again = 0;

  g_mutex_lock (&self->lock);
  mine = self->open && !self->closed && !self->writing && self->waiting.length == 0;
  self->writing = self->writing || mine;
  g_mutex_unlock (&self->lock);
  if (mine)
    {
      again = reeve_wire_outbox_write (self, &tried, &sent);
      if (sent < tried.length)
        return reeve_wire_outbox_put_back (self, &tried, sent, again, error);
    }
  else
    {
      item = reeve_wire_outbox_keep (parcel, 0, error);
      if (item == NULL)
        return FALSE;
    }
  g_mutex_lock (&self->lock);
  if (item != NULL)
    g_queue_push_tail (&self->waiting, item);
  /* whoever wrote may have ended just now */
  if (mine || ((self->open || self->closed) && !self->writing))
    {
      self->writing = TRUE;
      reeve_wire_outbox_drain (self);
    }
  g_mutex_unlock (&self->lock);
  return TRUE;
}

void
reeve_wire_outbox_flush (ReeveWireOutbox *self)
{
  g_mutex_lock (&self->lock);
  self->open = TRUE;
  self->full = FALSE;
  if (!self->writing)
    {
      self->writing = TRUE;
      reeve_wire_outbox_drain (self);
    }
  g_mutex_unlock (&self->lock);
}

gboolean
reeve_wire_outbox_is_full (ReeveWireOutbox *self)
{
  gboolean full = FALSE;

  g_mutex_lock (&self->lock);
  full = self->full && self->again == 0;
  g_mutex_unlock (&self->lock);
  return full;
}

gint64
reeve_wire_outbox_get_due (ReeveWireOutbox *self)
{
  gint64 due = 0;

  g_mutex_lock (&self->lock);
  due = self->full ? self->again : 0;
  g_mutex_unlock (&self->lock);
  return due;
}
