/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* recvmsg(2), with what the kernel says of the sender and what it passes on. */
#include "runner-read.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "runner/runner-plan.h"

/* Who sent it the kernel says. (out) @passed: the descriptor that came with it */
static GPid
reeve_runner_read_control (struct msghdr *header, int *passed)
{
  struct ucred credentials = { 0 };

  for (struct cmsghdr *one = CMSG_FIRSTHDR (header); one != NULL; one = CMSG_NXTHDR (header, one))
    {
      if (one->cmsg_level != SOL_SOCKET)
        continue;
      if (one->cmsg_type == SCM_CREDENTIALS && one->cmsg_len == CMSG_LEN (sizeof credentials))
        memcpy (&credentials, CMSG_DATA (one), sizeof credentials);
      /* there is room for no second one: the kernel closes that */
      else if (one->cmsg_type == SCM_RIGHTS && one->cmsg_len == CMSG_LEN (sizeof *passed))
        memcpy (passed, CMSG_DATA (one), sizeof *passed);
    }
  return credentials.pid;
}

/**
 * reeve_runner_read_report:
 * @control_fd: the host's end of the control socket
 * @sender: (out): the process that sent it, as the kernel says; 0: nobody did
 * @passed: (out): a descriptor that came with it, the caller's; -1: none
 *
 * Returns: (transfer full) (nullable): the next message; %NULL where it is none
 */
RunnerReport *
reeve_runner_read_report (int control_fd, GPid *sender, int *passed)
{
  g_autofree guint8 *data = g_malloc (RUNNER_PLAN_MAX_MESSAGE + 1);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) message = NULL;
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (sizeof (struct ucred)) + CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  struct iovec part = { .iov_base = data, .iov_len = RUNNER_PLAN_MAX_MESSAGE + 1 };
  struct msghdr header = { .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes };
  gssize length = recvmsg (control_fd, &header, MSG_CMSG_CLOEXEC);

  *sender = 0;
  *passed = -1;
  if (length > 0)
    *sender = reeve_runner_read_control (&header, passed);
  if (length <= 0 || length > RUNNER_PLAN_MAX_MESSAGE || *sender == 0)
    return NULL;
  bytes = g_bytes_new (data, (gsize) length);
  message = g_variant_ref_sink (g_variant_new_from_bytes (RUNNER_REPORT_TYPE, bytes, FALSE));
  return g_variant_is_normal_form (message) ? runner_report_from_variant (message) : NULL;
}
