/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many threads send at once to a socket that is read slowly: each message arrives whole, with its
 * descriptor, and those of a thread in their order. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gio/gio.h>

#include "loader/wire-outbox.h"

#include "../helpers/test-fds.h"

#define SENDERS  4
#define MESSAGES 60
#define LARGEST  100000

/* What a message begins with; behind it all bytes are @index. */
typedef struct
{
  guint32 length;
  guint32 sender;
  guint32 index;
  guint32 with_fd;
} Head;

typedef struct
{
  int ends[2]; /* the outbox's, the reader's */
  ReeveWireRules *rules;
  ReeveWireOutbox *out;
} Pair;

static void
pair_open (Pair *self, const ReeveWireLimits *limits)
{
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends), ==, 0);
  self->rules = reeve_wire_rules_new (limits);
  self->out = reeve_wire_outbox_new (self->ends[0], self->rules);
}

static void
pair_close (Pair *self)
{
  reeve_wire_outbox_free (self->out);
  reeve_wire_rules_free (self->rules);
  close (self->ends[0]);
  close (self->ends[1]);
}

/* ---- many at once ---- */

typedef struct
{
  Pair *pair;
  guint number;
} Sender;

static gpointer
send_all (gpointer data)
{
  const Sender *self = data;

  for (guint i = 0; i < MESSAGES; i++)
    {
      const Head head
          = { .length = (guint32) sizeof head + (i * 7919 * (self->number + 1)) % LARGEST,
              .sender = self->number,
              .index = i,
              .with_fd = i % 3 == 0 };
      g_autofree guint8 *bytes = g_malloc (head.length);
      int fd = head.with_fd != 0 ? memfd_create ("tested", MFD_CLOEXEC) : -1;
      const ReeveWireParcel parcel
          = { .data = bytes, .length = head.length, .fds = &fd, .n_fds = head.with_fd };
      g_autoptr (GError) error = NULL;

      memset (bytes, (int) i, head.length);
      memcpy (bytes, &head, sizeof head);
      if (fd >= 0)
        g_assert_cmpint (write (fd, &head, sizeof head), ==, sizeof head);
      reeve_wire_outbox_send (self->pair->out, &parcel, &error);
      g_assert_no_error (error);
      if (fd >= 0)
        close (fd);
    }
  return NULL;
}

/* Returns how many bytes came, at most @length. @fd: (inout): with them */
static gsize
receive (int from, guint8 *data, gsize length, int *fd)
{
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (sizeof (int))];
  } control;
  struct iovec part = { .iov_base = data, .iov_len = length };
  struct msghdr header = { .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes };
  gssize came = recvmsg (from, &header, MSG_CMSG_CLOEXEC);
  struct cmsghdr *message = came > 0 ? CMSG_FIRSTHDR (&header) : NULL;

  g_assert_cmpint (came, >, 0);
  if (message != NULL)
    {
      g_assert_cmpint (*fd, <, 0);
      memcpy (fd, CMSG_DATA (message), sizeof *fd);
    }
  return (gsize) came;
}

static void
receive_one (Pair *pair, guint32 *next)
{
  Head head = { 0 };
  Head again = { 0 };
  g_autofree guint8 *bytes = g_malloc (LARGEST + sizeof head);
  int fd = -1;
  gsize done = 0;

  while (done < sizeof head)
    done += receive (pair->ends[1], bytes + done, sizeof head - done, &fd);
  memcpy (&head, bytes, sizeof head);
  g_assert_cmpuint (head.length, <, LARGEST + sizeof head);
  g_assert_cmpuint (head.sender, <, SENDERS);
  g_assert_cmpuint (head.index, ==, next[head.sender]++);
  while (done < head.length)
    {
      /* by the way it is taken there is room for some, and never for all that waits */
      done += receive (pair->ends[1], bytes + done, head.length - done, &fd);
      if (reeve_wire_outbox_is_full (pair->out))
        reeve_wire_outbox_flush (pair->out);
    }
  for (gsize i = sizeof head; i < head.length; i++)
    g_assert_cmpuint (bytes[i], ==, head.index & 0xff);
  g_assert_true ((fd >= 0) == (head.with_fd != 0));
  if (fd < 0)
    return;
  g_assert_cmpint (pread (fd, &again, sizeof again, 0), ==, sizeof again);
  g_assert_cmpmem (&head, sizeof head, &again, sizeof again);
  close (fd);
}

static void
test_crowd (void)
{
  Pair pair = { .rules = NULL };
  Sender senders[SENDERS] = { { NULL, 0 } };
  GThread *threads[SENDERS] = { NULL };
  guint32 next[SENDERS] = { 0 };
  guint before = test_fds_count ();

  pair_open (&pair, NULL);
  reeve_wire_outbox_flush (pair.out);
  for (guint i = 0; i < SENDERS; i++)
    {
      senders[i] = (Sender){ &pair, i };
      threads[i] = g_thread_new ("sender", send_all, &senders[i]);
    }
  /* nobody reads until the socket is full */
  while (!reeve_wire_outbox_is_full (pair.out))
    g_usleep (1000);
  for (guint i = 0; i < SENDERS * MESSAGES; i++)
    {
      if (reeve_wire_outbox_is_full (pair.out))
        reeve_wire_outbox_flush (pair.out);
      receive_one (&pair, next);
    }
  for (guint i = 0; i < SENDERS; i++)
    g_thread_join (threads[i]);
  pair_close (&pair);
  g_assert_cmpuint (test_fds_count (), ==, before);
}

/* ---- before the first, and behind the last ---- */

static void
send_text (Pair *pair, char letter, gsize length, const int *fd)
{
  g_autofree char *text = g_strnfill (length, letter);
  const ReeveWireParcel parcel
      = { .data = (guint8 *) text, .length = length, .fds = fd, .n_fds = fd != NULL ? 1 : 0 };
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_wire_outbox_send (pair->out, &parcel, &error));
  g_assert_no_error (error);
}

/* What is sent before the other side is known waits. */
static void
test_opened (void)
{
  Pair pair = { .rules = NULL };
  char got[8] = "";

  pair_open (&pair, NULL);
  send_text (&pair, 'a', 3, NULL);
  g_assert_cmpint (recv (pair.ends[1], got, sizeof got, MSG_DONTWAIT), ==, -1);
  reeve_wire_outbox_flush (pair.out);
  send_text (&pair, 'b', 2, NULL);
  g_assert_cmpint (recv (pair.ends[1], got, sizeof got, MSG_DONTWAIT), ==, 5);
  g_assert_cmpmem (got, 5, "aaabb", 5);
  pair_close (&pair);
}

/* What waits has descriptors of its own, and lets them go with the end: whoever reads the other end
 * of a pipe sees it. */
static void
test_closed (void)
{
  Pair pair = { .rules = NULL };
  int pipe_ends[2] = { -1, -1 };
  char byte = 0;

  pair_open (&pair, NULL);
  g_assert_cmpint (pipe2 (pipe_ends, O_CLOEXEC | O_NONBLOCK), ==, 0);
  send_text (&pair, 'a', 3, &pipe_ends[1]);
  close (pipe_ends[1]);
  g_assert_cmpint (read (pipe_ends[0], &byte, 1), ==, -1);
  reeve_wire_outbox_close (pair.out);
  g_assert_cmpint (read (pipe_ends[0], &byte, 1), ==, 0);
  send_text (&pair, 'b', 2, &pair.ends[0]);
  reeve_wire_outbox_flush (pair.out);
  g_assert_cmpint (recv (pair.ends[1], &byte, 1, MSG_DONTWAIT), ==, -1);
  close (pipe_ends[0]);
  pair_close (&pair);
}

/* ---- a runner that asks and does not read ---- */

static gboolean
ask (Pair *pair, guint32 serial, GError **error)
{
  g_autoptr (GDBusMessage) call = g_dbus_message_new_method_call (
      NULL, "/io/reeve/Plugin1", "io.reeve.Plugin1.Broker", "Call");
  g_autofree guint8 *data = NULL;
  WireMessage read = { 0 };
  gsize length = 0;

  g_dbus_message_set_serial (call, serial);
  data = g_dbus_message_to_blob (call, &length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  return reeve_wire_rules_receive (pair->rules, data, length, &read, error);
}

/* Answers that cannot be written count, or they would be gathered without a bound. */
static void
test_unread (void)
{
  const ReeveWireLimits limits = { .calls = 2 };
  g_autofree guint8 *bytes = g_malloc0 (LARGEST);
  Pair pair = { .rules = NULL };
  ReeveWireParcel parcel = { .data = bytes, .length = LARGEST };
  g_autoptr (GError) error = NULL;

  pair_open (&pair, &limits);
  reeve_wire_outbox_flush (pair.out);
  while (!reeve_wire_outbox_is_full (pair.out))
    g_assert_true (reeve_wire_outbox_send (pair.out, &parcel, NULL));
  g_assert_true (ask (&pair, 1, &error));
  g_assert_true (ask (&pair, 2, &error));
  for (parcel.answers = 1; parcel.answers <= 2; parcel.answers++)
    g_assert_true (reeve_wire_outbox_send (pair.out, &parcel, NULL));
  g_assert_false (ask (&pair, 3, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert_cmpstr (error->message, ==, "it has too many calls under way");
  g_clear_error (&error);
  while (reeve_wire_outbox_is_full (pair.out))
    {
      g_assert_cmpint (recv (pair.ends[1], bytes, LARGEST, 0), >, 0);
      reeve_wire_outbox_flush (pair.out);
    }
  g_assert_true (ask (&pair, 3, &error));
  g_assert_no_error (error);
  pair_close (&pair);
}

/* An answer that is tried again frees nothing again: not the call that has its serial by now. */
static void
test_tried_again (void)
{
  const ReeveWireLimits limits = { .calls = 1 };
  g_autofree guint8 *bytes = g_malloc0 (LARGEST);
  Pair pair = { .rules = NULL };
  ReeveWireParcel parcel = { .data = bytes, .length = LARGEST };
  g_autoptr (GError) error = NULL;

  pair_open (&pair, &limits);
  g_assert_true (ask (&pair, 1, &error));
  parcel.answers = 1;
  g_assert_true (reeve_wire_outbox_send (pair.out, &parcel, NULL));
  /* so that the socket takes no byte of it */
  while (send (pair.ends[0], bytes, LARGEST, MSG_DONTWAIT) > 0)
    ;
  reeve_wire_outbox_flush (pair.out);
  g_assert_true (reeve_wire_outbox_is_full (pair.out));
  g_assert_true (ask (&pair, 1, &error));
  reeve_wire_outbox_flush (pair.out);
  g_assert_true (reeve_wire_outbox_is_full (pair.out));
  g_assert_false (ask (&pair, 2, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  pair_close (&pair);
}

/* One that does not read any more is at its end: nothing waits for room that never comes. */
static void
test_deaf (void)
{
  Pair pair = { .rules = NULL };
  char byte = 0;

  pair_open (&pair, NULL);
  reeve_wire_outbox_flush (pair.out);
  g_assert_cmpint (shutdown (pair.ends[1], SHUT_RD), ==, 0);
  send_text (&pair, 'a', 2, NULL);
  g_assert_cmpint (recv (pair.ends[0], &byte, 1, MSG_DONTWAIT), ==, 0);
  pair_close (&pair);
}

/* Descriptors that are on their way until the kernel takes no more of this user's. */
static void
send_too_many (int to)
{
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (16 * sizeof (int))];
  } control = { .align = { .cmsg_level = SOL_SOCKET,
                           .cmsg_type = SCM_RIGHTS,
                           .cmsg_len = CMSG_LEN (16 * sizeof (int)) } };
  char byte = 0;
  struct iovec part = { .iov_base = &byte, .iov_len = 1 };
  const struct msghdr header = { .msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof control.bytes };

  for (guint i = 0; i < 16; i++)
    memcpy (CMSG_DATA (&control.align) + i * sizeof (int), &to, sizeof to);
  while (sendmsg (to, &header, MSG_DONTWAIT) > 0)
    ;
  g_assert_cmpint (errno, ==, ETOOMANYREFS);
}

/* A system that is short of something for a moment ends no wire: what waits is tried again. */
static void
test_short (void)
{
  Pair pair = { .rules = NULL };
  Pair full = { .rules = NULL };
  const struct rlimit few = { 32, 32 };
  char got[8] = "";

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, 0);
      g_test_trap_assert_passed ();
      return;
    }
  pair_open (&pair, NULL);
  pair_open (&full, NULL);
  reeve_wire_outbox_flush (pair.out);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &few), ==, 0);
  /* root is let through; a user of its own, so that nobody else's count */
  if (geteuid () == 0)
    g_assert_cmpint (setresuid (61234, 61234, 61234), ==, 0);
  send_too_many (full.ends[0]);
  send_text (&pair, 'a', 3, &full.ends[0]);
  send_text (&pair, 'b', 2, NULL);
  g_assert_cmpint (recv (pair.ends[1], got, sizeof got, MSG_DONTWAIT), ==, -1);
  g_assert_cmpint (errno, ==, EAGAIN);
  /* the socket has room: whoever waited for that would never sleep */
  g_assert_false (reeve_wire_outbox_is_full (pair.out));
  g_assert_cmpint (reeve_wire_outbox_get_due (pair.out), >, 0);
  reeve_wire_outbox_flush (pair.out);
  g_assert_cmpint (reeve_wire_outbox_get_due (pair.out), >, 0);
  pair_close (&full);
  reeve_wire_outbox_flush (pair.out);
  g_assert_cmpint (reeve_wire_outbox_get_due (pair.out), ==, 0);
  g_assert_cmpint (recv (pair.ends[1], got, sizeof got, MSG_DONTWAIT), ==, 3);
  pair_close (&pair);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/outbox/crowd", test_crowd);
  g_test_add_func ("/wire/outbox/opened", test_opened);
  g_test_add_func ("/wire/outbox/closed", test_closed);
  g_test_add_func ("/wire/outbox/unread", test_unread);
  g_test_add_func ("/wire/outbox/tried-again", test_tried_again);
  g_test_add_func ("/wire/outbox/deaf", test_deaf);
  g_test_add_func ("/wire/outbox/short", test_short);
  return g_test_run ();
}
