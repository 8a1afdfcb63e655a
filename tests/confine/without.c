/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes a layer away from outside, as an older kernel or a container would: `without userns mdwe --
 * PROGRAM …`. What is taken away answers as it does where there is none. `landlock-abi=2` makes the
 * kernel's Landlock an older one, by a second process that answers for it. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

typedef struct
{
  const char *name;
  const char *call;
  int code;
  int argument; /* -1: whatever the arguments */
  guint64 mask;
  guint64 value;
  int zero; /* number of an argument that must be 0 too; 0: none */
} Without;

static const Without without[] = {
  { "userns", "unshare", EPERM, 0, CLONE_NEWUSER, CLONE_NEWUSER },
  { "netns", "unshare", ENOSPC, 0, CLONE_NEWNET, CLONE_NEWNET },
  { "ipcns", "unshare", ENOSPC, 0, CLONE_NEWIPC, CLONE_NEWIPC },
  { "utsns", "unshare", ENOSPC, 0, CLONE_NEWUTS, CLONE_NEWUTS },
  { "cgroupns", "unshare", ENOSPC, 0, CLONE_NEWCGROUP, CLONE_NEWCGROUP },
  { "mountns", "unshare", ENOSPC, 0, CLONE_NEWNS, CLONE_NEWNS },
  { "pidns", "unshare", ENOSPC, 0, CLONE_NEWPID, CLONE_NEWPID },
  { "root", "open_tree", ENOSYS, -1, 0, 0 },
  { "user", "setresuid", EINVAL, -1, 0, 0 },
  { "limits", "prlimit64", EPERM, 1, 0xffffffff, 7 /* RLIMIT_NOFILE */ },
  { "capabilities", "capset", EPERM, -1, 0, 0 },
  { "nnp", "prctl", EINVAL, 0, 0xffffffff, PR_SET_NO_NEW_PRIVS },
  { "dumpable", "prctl", EINVAL, 0, 0xffffffff, PR_SET_DUMPABLE, 1 },
  { "mdwe", "prctl", EINVAL, 0, 0xffffffff, 65 /* PR_SET_MDWE */ },
  { "landlock", "landlock_create_ruleset", EOPNOTSUPP, -1, 0, 0 },
  { "seccomp", "seccomp", ENOSYS, -1, 0, 0 },
  { "seccomp", "prctl", EINVAL, 0, 0xffffffff, PR_SET_SECCOMP },
};

static void
without_fail (const char *what)
{
  fprintf (stderr, "without: %s: %s\n", what, g_strerror (errno));
  exit (97);
}

static void
without_take_away (scmp_filter_ctx filter, const char *name)
{
  gboolean found = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (without); i++)
    {
      const Without *one = &without[i];
      struct scmp_arg_cmp compare[2] = {
        SCMP_CMP ((unsigned) MAX (one->argument, 0), SCMP_CMP_MASKED_EQ, one->mask, one->value),
        SCMP_CMP ((unsigned) one->zero, SCMP_CMP_EQ, 0),
      };
      unsigned n = one->argument < 0 ? 0 : one->zero > 0 ? 2 : 1;

      if (strcmp (one->name, name) != 0)
        continue;
      found = TRUE;
      if (seccomp_rule_add_array (filter, SCMP_ACT_ERRNO ((unsigned) one->code),
                                  seccomp_syscall_resolve_name (one->call), n, compare)
          != 0)
        without_fail (name);
    }
  if (!found)
    without_fail (name);
}

/* Answers every question for Landlock's version with @abi, until nobody is left who asks. */
static void
without_answer (int listener, gint64 abi)
{
  struct seccomp_notif *request = NULL;
  struct seccomp_notif_resp *response = NULL;

  struct pollfd asked = { .fd = listener, .events = POLLIN };

  if (seccomp_notify_alloc (&request, &response) != 0)
    _exit (1);
  while (poll (&asked, 1, -1) == 1 && (asked.revents & POLLIN) != 0)
    {
      memset (request, 0, sizeof *request);
      if (seccomp_notify_receive (listener, request) != 0)
        continue;
      response->id = request->id;
      response->val = abi;
      response->error = 0;
      response->flags = 0;
      seccomp_notify_respond (listener, response);
    }
  _exit (0);
}

/* one byte, and room for one descriptor */
typedef struct
{
  char byte;
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (sizeof (int))];
  } control;
  struct iovec part;
  struct msghdr header;
} WithoutMessage;

static struct msghdr *
without_prepare (WithoutMessage *message)
{
  memset (message, 0, sizeof *message);
  message->part.iov_base = &message->byte;
  message->part.iov_len = 1;
  message->header.msg_iov = &message->part;
  message->header.msg_iovlen = 1;
  message->header.msg_control = message->control.bytes;
  message->header.msg_controllen = sizeof message->control.bytes;
  return &message->header;
}

static void
without_send_fd (int socket_fd, int fd)
{
  WithoutMessage message;
  struct msghdr *header = without_prepare (&message);
  struct cmsghdr *first = CMSG_FIRSTHDR (header);

  first->cmsg_level = SOL_SOCKET;
  first->cmsg_type = SCM_RIGHTS;
  first->cmsg_len = CMSG_LEN (sizeof (int));
  memcpy (CMSG_DATA (first), &fd, sizeof fd);
  if (sendmsg (socket_fd, header, 0) != 1)
    without_fail ("sendmsg ()");
}

static int
without_receive_fd (int socket_fd)
{
  WithoutMessage message;
  struct msghdr *header = without_prepare (&message);
  int fd = -1;

  if (recvmsg (socket_fd, header, 0) == 1 && CMSG_FIRSTHDR (header) != NULL)
    memcpy (&fd, CMSG_DATA (CMSG_FIRSTHDR (header)), sizeof fd);
  return fd;
}

static void
without_make_older (gint64 abi)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ALLOW);
  int ends[2] = { -1, -1 };
  pid_t child = 0;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    without_fail ("socketpair ()");
  child = fork ();
  if (child == 0)
    {
      int listener = -1;

      close (3);
      close (4);
      close (ends[0]);
      listener = without_receive_fd (ends[1]);
      without_answer (listener, abi);
    }
  seccomp_attr_set (filter, SCMP_FLTATR_CTL_NNP, geteuid () != 0);
  if (seccomp_rule_add (filter, SCMP_ACT_NOTIFY, SCMP_SYS (landlock_create_ruleset), 1,
                        SCMP_A1 (SCMP_CMP_EQ, 0))
          != 0
      || seccomp_load (filter) != 0)
    without_fail ("seccomp ()");
  without_send_fd (ends[0], seccomp_notify_fd (filter));
  close (ends[1]);
}

int
main (int argc, char **argv)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ALLOW);
  int i = 1;

  for (; i < argc && strcmp (argv[i], "--") != 0; i++)
    {
      if (g_str_has_prefix (argv[i], "landlock-abi="))
        without_make_older (g_ascii_strtoll (argv[i] + strlen ("landlock-abi="), NULL, 10));
      else
        without_take_away (filter, argv[i]);
    }
  /* an ordinary user's process may add a filter only so; root's keeps what the runner is to do */
  seccomp_attr_set (filter, SCMP_FLTATR_CTL_NNP, geteuid () != 0);
  if (seccomp_load (filter) != 0)
    without_fail ("seccomp ()");
  if (i + 1 < argc)
    execv (argv[i + 1], argv + i + 1);
  without_fail ("execv ()");
  return 97;
}
