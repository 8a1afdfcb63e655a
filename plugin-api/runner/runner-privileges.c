/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What capabilities(7), prctl(2) and setresuid(2) say, and nothing more. */
#include "runner-privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 6.3; Debian 12's headers do not have them */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#ifndef PR_MDWE_REFUSE_EXEC_GAIN
#define PR_MDWE_REFUSE_EXEC_GAIN (1UL << 0)
#endif

/* Without CAP_SETPCAP, an ordinary user's case, the bounding set stays full and the bits open: with
 * no new privileges neither has a meaning. */
static void
runner_privileges_drop_bounding (void)
{
  for (unsigned long capability = 0; prctl (PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
       capability++)
    prctl (PR_CAPBSET_DROP, capability, 0, 0, 0);
  prctl (PR_SET_SECUREBITS,
         SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP
             | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE
             | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
         0, 0, 0);
}

/* Root's right to do this goes with the change of user, which leaves all others as they are once
 * the bits are set: they are put down here. */
static void
runner_privileges_put_down (void)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  struct __user_cap_data_struct none[2] = { { 0 } };

  syscall (SYS_capset, &header, none);
}

void
runner_privileges_take_user (guint32 uid, RunnerReport *report)
{
  runner_privileges_drop_bounding ();
  if (setgroups (0, NULL) != 0)
    runner_report_note (report, RUNNER_LAYERS_USER, errno, "setgroups ()");
  else if (setresgid (uid, uid, uid) != 0)
    runner_report_note (report, RUNNER_LAYERS_USER, errno, "setresgid ()");
  else if (setresuid (uid, uid, uid) != 0)
    runner_report_note (report, RUNNER_LAYERS_USER, errno, "setresuid ()");
  else
    report->layers |= RUNNER_LAYERS_USER;
  runner_privileges_put_down ();
  /* a change of user hides the process from its own /proc; the maps of a namespace are there */
  prctl (PR_SET_DUMPABLE, 1, 0, 0, 0);
}

void
runner_privileges_drop (RunnerReport *report)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  struct __user_cap_data_struct none[2] = { { 0 } };
  struct __user_cap_data_struct left[2] = { { 0 } };

  runner_privileges_drop_bounding ();
  prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (syscall (SYS_capset, &header, none) != 0)
    runner_report_note (report, RUNNER_LAYERS_CAPABILITIES, errno, "capset ()");
  else if (syscall (SYS_capget, &header, left) != 0)
    runner_report_note (report, RUNNER_LAYERS_CAPABILITIES, errno, "capget ()");
  else if ((left[0].effective | left[1].effective | left[0].permitted | left[1].permitted
            | left[0].inheritable | left[1].inheritable)
           != 0)
    runner_report_note (report, RUNNER_LAYERS_CAPABILITIES, 0, "capset (): some are left");
  else
    report->layers |= RUNNER_LAYERS_CAPABILITIES;
}

void
runner_privileges_close (gboolean jit, RunnerReport *report)
{
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
    report->layers |= RUNNER_LAYERS_NO_NEW_PRIVILEGES;
  else
    runner_report_note (report, RUNNER_LAYERS_NO_NEW_PRIVILEGES, errno,
                        "prctl (PR_SET_NO_NEW_PRIVS)");
  if (prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
    report->layers |= RUNNER_LAYERS_NOT_DUMPABLE;
  else
    runner_report_note (report, RUNNER_LAYERS_NOT_DUMPABLE, errno, "prctl (PR_SET_DUMPABLE)");
  if (jit)
    runner_report_note (report, RUNNER_LAYERS_MDWE, 0, RUNNER_PRIVILEGES_JIT);
  else if (prctl (PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0)
    report->layers |= RUNNER_LAYERS_MDWE;
  else
    runner_report_note (report, RUNNER_LAYERS_MDWE, errno, "prctl (PR_SET_MDWE)");
}
