/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A runner that speaks raw bytes on its wire: `wire-liar MODE` says hello as D-Bus's peers do,
 * waits for the host's first call, and then breaks the rule that MODE names. Not confined: what the
 * host does about it must not depend on that. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gio/gio.h>

#include "runner/runner-plan.h"

#define HEADER 16

static gboolean
liar_say (RunnerStage stage)
{
  g_autoptr (RunnerReport) report = runner_report_new ();
  g_autoptr (GVariant) message = NULL;
  g_autoptr (GVariant) answer = NULL;

  report->stage = stage;
  report->plugin_id = g_strdup ("tested");
  report->version = g_strdup ("1.0.0");
  message = runner_report_to_variant (report);
  if (!runner_plan_send (RUNNER_PLAN_CONTROL_FD, message))
    return FALSE;
  answer = runner_plan_receive (RUNNER_PLAN_CONTROL_FD, RUNNER_PLAN_GO_TYPE);
  return answer != NULL;
}

static gboolean
liar_write (gconstpointer data, gsize length)
{
  return send (RUNNER_PLAN_WIRE_FD, data, length, MSG_NOSIGNAL) == (gssize) length;
}

static gboolean
liar_read (gpointer data, gsize length)
{
  return recv (RUNNER_PLAN_WIRE_FD, data, length, MSG_WAITALL) == (gssize) length;
}

/* (transfer full) (nullable): the next message from the host */
static GDBusMessage *
liar_receive (void)
{
  guint8 head[HEADER];
  g_autofree guint8 *data = NULL;
  gssize length = 0;

  if (!liar_read (head, sizeof head))
    return NULL;
  length = g_dbus_message_bytes_needed (head, sizeof head, NULL);
  data = g_malloc ((gsize) length);
  memcpy (data, head, sizeof head);
  if (!liar_read (data + HEADER, (gsize) length - HEADER))
    return NULL;
  return g_dbus_message_new_from_blob (data, (gsize) length,
                                       G_DBUS_CAPABILITY_FLAGS_UNIX_FD_PASSING, NULL);
}

static guchar *
liar_make (GDBusMessage *message, gsize *length)
{
  g_dbus_message_set_byte_order (message, G_BYTE_ORDER == G_LITTLE_ENDIAN
                                              ? G_DBUS_MESSAGE_BYTE_ORDER_LITTLE_ENDIAN
                                              : G_DBUS_MESSAGE_BYTE_ORDER_BIG_ENDIAN);
  if (g_dbus_message_get_serial (message) == 0)
    g_dbus_message_set_serial (message, 7);
  return g_dbus_message_to_blob (message, length, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
}

static gboolean
liar_send (GDBusMessage *message)
{
  gsize length = 0;
  g_autofree guchar *data = liar_make (message, &length);

  return liar_write (data, length);
}

/* (transfer full): the broker's Call with a number that it guesses */
static GDBusMessage *
liar_make_call (const char *path, guint64 call, guint32 serial)
{
  GDBusMessage *message
      = g_dbus_message_new_method_call (NULL, path, "io.reeve.Plugin1.Broker", "Call");

  g_dbus_message_set_body (message, g_variant_new ("(tss)", call, "secret.read", "{}"));
  g_dbus_message_set_serial (message, serial);
  return message;
}

static gboolean
liar_begin (void)
{
  static const char words[] = "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";
  guint lines = 0;
  char byte = 0;

  if (!liar_write (words, sizeof words - 1))
    return FALSE;
  /* DATA, OK, AGREE_UNIX_FD */
  while (lines < 3 && liar_read (&byte, 1))
    lines += byte == '\n';
  return lines == 3;
}

static gboolean
liar_send_fds (guint count)
{
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (200 * sizeof (int))];
  } control = { 0 };
  struct iovec part = { .iov_base = (char *) "l", .iov_len = 1 };
  struct msghdr header = { .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = CMSG_SPACE (count * sizeof (int)) };
  int *fds = (int *) CMSG_DATA (CMSG_FIRSTHDR (&header));

  control.align = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                                    .cmsg_type = SCM_RIGHTS,
                                    .cmsg_len = CMSG_LEN (count * sizeof (int)) };
  for (guint i = 0; i < count; i++)
    fds[i] = STDIN_FILENO;
  return sendmsg (RUNNER_PLAN_WIRE_FD, &header, MSG_NOSIGNAL) == 1;
}

/* ---- modes: what they say instead of an answer ---- */

/* Bytes that begin a message, with the length of its body. */
static void
liar_make_head (guint8 *head, guint32 body)
{
  const guint32 numbers[] = { body, 7, 0 };

  head[0] = G_BYTE_ORDER == G_LITTLE_ENDIAN ? 'l' : 'B';
  head[1] = 2;
  head[2] = 0;
  head[3] = 1;
  memcpy (head + 4, numbers, sizeof numbers);
}

static void
liar_flood (void)
{
  for (guint32 i = 1; i <= 1000000; i++)
    {
      g_autoptr (GDBusMessage) call = liar_make_call ("/io/reeve/Plugin1", 4711, i);

      if (!liar_send (call))
        return;
    }
}

/* A guessed number is refused by the capability's own error, and that is all. */
static int
liar_guess (guint64 own)
{
  for (guint64 number = own - 1; number <= own + 2; number++)
    {
      g_autoptr (GDBusMessage) call
          = liar_make_call ("/io/reeve/Plugin1", number, (guint32) (100 + number));
      g_autoptr (GDBusMessage) reply = liar_send (call) ? liar_receive () : NULL;

      if (reply == NULL
          || g_strcmp0 (g_dbus_message_get_error_name (reply), "io.reeve.Error.Capability") != 0)
        return 1;
    }
  return 0;
}

/* It asks, and can be told nothing any more. */
static void
liar_go_deaf (void)
{
  g_autoptr (GDBusMessage) call = liar_make_call ("/io/reeve/Plugin1", 4711, 7);

  shutdown (RUNNER_PLAN_WIRE_FD, SHUT_RD);
  liar_send (call);
}

/* The end of each message comes with the beginning of the next one. */
static int
liar_go_on (void)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  gsize from = 0;

  for (guint32 i = 1; i <= 40; i++)
    {
      g_autoptr (GDBusMessage) call = liar_make_call ("/io/reeve/Plugin1", 4711, i);
      gsize length = 0;
      g_autofree guchar *data = liar_make (call, &length);

      g_byte_array_append (all, data, (guint) length);
      if (!liar_write (all->data + from, all->len - HEADER / 2 - from))
        return 1;
      from = all->len - HEADER / 2;
      g_usleep (50000);
    }
  return liar_write (all->data + from, all->len - from) ? 0 : 1;
}

static void
liar_crawl (void)
{
  guint8 head[HEADER];

  liar_make_head (head, 1024);
  for (gsize i = 0; i < sizeof head && liar_write (head + i, 1); i++)
    g_usleep (1000);
  while (liar_write ("", 1))
    g_usleep (20000);
}

static void
liar_send_head (guint32 body)
{
  guint8 head[HEADER];

  liar_make_head (head, body);
  liar_write (head, sizeof head);
}

/* An honest hello, and then a message, a byte at a time and without an end. */
static void
liar_drip (GDBusMessage *hello)
{
  g_autoptr (GDBusMessage) reply = g_dbus_message_new_method_reply (hello);

  g_dbus_message_set_body (reply, g_variant_new ("(ssa(sas))", "tested", "1.0.0", NULL));
  liar_send (reply);
  liar_send_head (1000 * 1000);
  for (guint i = 0; i < 900 * 1000 && liar_write ("", 1); i++)
    g_thread_yield ();
}

/* (transfer floating): values of which each is two bytes here, and some hundred where it is read */
static GVariant *
liar_make_swollen (void)
{
  GVariantBuilder all;

  g_variant_builder_init (&all, G_VARIANT_TYPE ("ag"));
  for (guint i = 0; i < 500000; i++)
    g_variant_builder_add (&all, "g", "");
  return g_variant_new ("(ag)", &all);
}

static void
liar_say_wrong (GDBusMessage *hello, const char *mode)
{
  g_autoptr (GDBusMessage) reply = g_dbus_message_new_method_reply (hello);
  g_autoptr (GDBusMessage) other = NULL;

  if (strcmp (mode, "types") == 0)
    g_dbus_message_set_body (reply, g_variant_new ("(i)", 7));
  else if (strcmp (mode, "variant") == 0)
    g_dbus_message_set_body (reply, g_variant_new ("(v)", g_variant_new_int32 (7)));
  else if (strcmp (mode, "swollen") == 0)
    g_dbus_message_set_body (reply, liar_make_swollen ());
  else if (strcmp (mode, "unasked") == 0)
    g_dbus_message_set_reply_serial (reply, 4711);
  else if (strcmp (mode, "signal") == 0)
    other = g_dbus_message_new_signal ("/io/reeve/Plugin1", "io.reeve.Plugin1.Broker", "Changed");
  else if (strcmp (mode, "path") == 0)
    other = liar_make_call ("/io/reeve/Plugin1/Guessed", 1, 7);
  else if (strcmp (mode, "machine-id") == 0)
    other = g_dbus_message_new_method_call (NULL, "/", "org.freedesktop.DBus.Peer", "GetMachineId");
  else if (strcmp (mode, "twice") == 0)
    {
      g_dbus_message_set_body (reply, g_variant_new ("(ssa(sas))", "tested", "1.0.0", NULL));
      liar_send (reply);
    }
  liar_send (other != NULL ? other : reply);
}

/* A text that is none, in an error's place. */
static void
liar_send_not_text (GDBusMessage *hello)
{
  g_autoptr (GDBusMessage) reply
      = g_dbus_message_new_method_error_literal (hello, "io.reeve.Error.Failed", "qqqq");
  gsize length = 0;
  g_autofree guchar *data = liar_make (reply, &length);

  for (gsize i = 0; i + 4 <= length; i++)
    {
      if (memcmp (data + i, "qqqq", 4) == 0)
        memset (data + i, 0xff, 4);
    }
  liar_write (data, length);
}

/* ---- one that keeps the rules of the wire, and what it is handed ---- */

/* The message without its descriptors, of which it has the numbers; -1: none. */
static GDBusMessage *
liar_receive_fds (int *fds, guint most)
{
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (8 * sizeof (int))];
  } control = { 0 };
  guint8 head[HEADER];
  struct iovec part = { .iov_base = head, .iov_len = sizeof head };
  struct msghdr header = { .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes };
  g_autofree guint8 *data = NULL;
  gsize length = 0;

  for (guint i = 0; i < most; i++)
    fds[i] = -1;
  if (recvmsg (RUNNER_PLAN_WIRE_FD, &header, MSG_WAITALL) != HEADER)
    return NULL;
  for (struct cmsghdr *one = CMSG_FIRSTHDR (&header); one != NULL; one = CMSG_NXTHDR (&header, one))
    {
      if (one->cmsg_type == SCM_RIGHTS)
        memcpy (fds, CMSG_DATA (one), MIN (one->cmsg_len - CMSG_LEN (0), most * sizeof (int)));
    }
  length = (gsize) g_dbus_message_bytes_needed (head, sizeof head, NULL);
  data = g_malloc (length);
  memcpy (data, head, sizeof head);
  return liar_read (data + HEADER, length - HEADER) ? g_dbus_message_new_from_blob (
             data, length, G_DBUS_CAPABILITY_FLAGS_UNIX_FD_PASSING, NULL)
                                                    : NULL;
}

/* (transfer floating) (nullable): a true answer. @stream: to be written */
static GVariant *
liar_answer (const char *member, int stream)
{
  static const char *const types[] = { "text/plain", NULL };

  if (strcmp (member, "Setup") == 0)
    return g_variant_new ("(o)", "/io/reeve/Plugin1/Instance1");
  if (strcmp (member, "MediaTypes") == 0)
    return g_variant_new ("(^as)", types);
  if (strcmp (member, "Extract") == 0 && write (stream, "{\"bytes\":0}\n", 12) == 12)
    return g_variant_new ("()");
  return NULL;
}

static void
liar_reply (GDBusMessage *asked, GVariant *body)
{
  g_autoptr (GDBusMessage) reply = g_dbus_message_new_method_reply (asked);

  g_dbus_message_set_body (reply, body);
  liar_send (reply);
}

/* Reads documents, and closes none of them; or, as its twin, each. */
static void
liar_serve (GDBusMessage *hello, gboolean keeps)
{
  gboolean good = TRUE;

  liar_reply (hello, g_variant_new_parsed ("('tested', '1.0.0', "
                                           "[('E', ['io.reeve.Plugin1.Extractor'])])"));
  while (good)
    {
      int fds[2] = { -1, -1 };
      g_autoptr (GDBusMessage) asked = liar_receive_fds (fds, G_N_ELEMENTS (fds));
      const char *member = asked != NULL ? g_dbus_message_get_member (asked) : "";
      GVariant *body = liar_answer (member, fds[1]);

      if (fds[1] >= 0)
        close (fds[1]);
      if (fds[0] >= 0 && !keeps)
        close (fds[0]);
      good = asked != NULL;
      if (body != NULL)
        liar_reply (asked, body);
    }
}

static int
liar_break (const char *mode, GDBusMessage *hello)
{
  guint64 number = g_dbus_message_get_serial (hello);

  if (strcmp (mode, "huge") == 0)
    liar_send_head (128 * 1024 * 1024);
  else if (strcmp (mode, "held") == 0)
    liar_send_head (64);
  else if (strcmp (mode, "close") == 0)
    {
      liar_send_head (64);
      return 3;
    }
  else if (strcmp (mode, "flood") == 0)
    liar_flood ();
  else if (strcmp (mode, "fds") == 0)
    liar_send_fds (200);
  else if (strcmp (mode, "one-fd") == 0)
    liar_send_fds (1);
  else if (strcmp (mode, "slow") == 0)
    liar_crawl ();
  else if (strcmp (mode, "drip") == 0)
    liar_drip (hello);
  else if (strcmp (mode, "not-text") == 0)
    liar_send_not_text (hello);
  else if (strcmp (mode, "deaf") == 0)
    liar_go_deaf ();
  else if (strcmp (mode, "keeps") == 0 || strcmp (mode, "closes") == 0)
    liar_serve (hello, strcmp (mode, "keeps") == 0);
  else if (strcmp (mode, "steady") == 0)
    return liar_go_on ();
  else if (strcmp (mode, "guess") == 0)
    return liar_guess (number);
  else
    liar_say_wrong (hello, mode);
  pause ();
  return 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (GVariant) plan = runner_plan_receive (RUNNER_PLAN_CONTROL_FD, RUNNER_PLAN_TYPE);
  g_autoptr (GDBusMessage) hello = NULL;

  if (argc != 2 || plan == NULL || !liar_say (RUNNER_STAGE_APART)
      || !liar_say (RUNNER_STAGE_CONFINED) || !liar_say (RUNNER_STAGE_LOADED))
    return 90;
  if (strcmp (argv[1], "mute") == 0)
    pause ();
  if (strcmp (argv[1], "noise") == 0)
    liar_write ("noise", 5);
  if (strcmp (argv[1], "noise") == 0)
    pause ();
  if (!liar_begin ())
    return 91;
  hello = liar_receive ();
  return hello != NULL ? liar_break (argv[1], hello) : 92;
}
