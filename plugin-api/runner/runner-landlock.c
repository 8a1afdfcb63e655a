/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlock(7). Every right that the kernel's version has is taken; reading is given back for what a
 * linked program reads. No header knows all versions: the numbers are the kernel's interface and
 * stand here. */
#include "runner-landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner-root.h"
#include "runner-scratch.h"

/* include/uapi/linux/landlock.h of Linux 6.12 */
typedef struct
{
  guint64 handled_access_fs;
  guint64 handled_access_net;
  guint64 scoped;
} RunnerLandlockRuleset;

typedef struct
{
  guint64 allowed_access;
  gint32 parent_fd;
} __attribute__ ((packed)) RunnerLandlockPath;

#define RUNNER_LANDLOCK_VERSION      (1u << 0)
#define RUNNER_LANDLOCK_PATH_BENEATH 1
#define RUNNER_LANDLOCK_READ_FILE    (1ull << 2)
#define RUNNER_LANDLOCK_READ_DIR     (1ull << 3)
/* write, remove, make folders and files, rename, cut: no devices, sockets, pipes, links; nothing is
 * executed */
#define RUNNER_LANDLOCK_SCRATCH                                                                    \
  (RUNNER_LANDLOCK_READ_FILE | RUNNER_LANDLOCK_READ_DIR | 1ull << 1 | 1ull << 4 | 1ull << 5        \
   | 1ull << 7 | 1ull << 8 | 1ull << 13 | 1ull << 14)
#define RUNNER_LANDLOCK_ALL_NET    3ull
#define RUNNER_LANDLOCK_ALL_SCOPES 3ull

/* Rights over files by version: 13 at first, then REFER, TRUNCATE, and with the fifth IOCTL_DEV. */
static guint64
runner_landlock_all_files (guint abi)
{
  guint rights = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;

  return (1ull << rights) - 1;
}

static gboolean
runner_landlock_add (int ruleset, int fd, guint64 rights)
{
  RunnerLandlockPath rule = { .allowed_access = rights, .parent_fd = fd };

  return syscall (SYS_landlock_add_rule, ruleset, RUNNER_LANDLOCK_PATH_BENEATH, &rule, 0) == 0;
}

static gboolean
runner_landlock_allow_fd (int ruleset, int fd, gboolean folder)
{
  return runner_landlock_add (ruleset, fd,
                              RUNNER_LANDLOCK_READ_FILE | (folder ? RUNNER_LANDLOCK_READ_DIR : 0));
}

/* The folder to write in; @handled: rights that this kernel knows */
static gboolean
runner_landlock_allow_scratch (int ruleset, const char *path, guint64 handled)
{
  int fd = open (path, O_PATH | O_CLOEXEC | O_DIRECTORY);
  gboolean allowed
      = fd >= 0 && runner_landlock_add (ruleset, fd, RUNNER_LANDLOCK_SCRATCH & handled);
  int code = errno;

  if (fd >= 0)
    close (fd);
  errno = code;
  return allowed;
}

static gboolean
runner_landlock_allow (int ruleset, const char *path)
{
  int fd = open (path, O_PATH | O_CLOEXEC);
  int folder = open (path, O_PATH | O_CLOEXEC | O_DIRECTORY);
  /* not there in the new root: nothing to allow */
  gboolean allowed = fd < 0 || runner_landlock_allow_fd (ruleset, fd, folder >= 0);
  int code = errno;

  if (fd >= 0)
    close (fd);
  if (folder >= 0)
    close (folder);
  errno = code;
  return allowed;
}

/* A copy in memory lies on no file system that Landlock looks at: it needs no rule, and may have
 * none (EBADFD). */
static gboolean
runner_landlock_allow_module (int ruleset, int module_fd)
{
  return runner_landlock_allow_fd (ruleset, module_fd, FALSE) || errno == EBADFD;
}

static gboolean
runner_landlock_allow_all (const RunnerPlan *plan, int ruleset, int module_fd)
{
  g_auto (GStrv) list = runner_root_list_readable (plan);

  for (guint i = 0; list[i] != NULL; i++)
    {
      if (!runner_landlock_allow (ruleset, list[i]))
        return FALSE;
    }
  return (module_fd < 0 || runner_landlock_allow_module (ruleset, module_fd))
         && runner_landlock_allow (ruleset, RUNNER_ROOT_MODULE);
}

static void
runner_landlock_count (guint abi, RunnerReport *report)
{
  report->layers |= RUNNER_LAYERS_LANDLOCK;
  if (abi >= 4)
    report->layers |= RUNNER_LAYERS_LANDLOCK_NETWORK;
  else
    runner_report_note (report, RUNNER_LAYERS_LANDLOCK_NETWORK, 0,
                        "the kernel's Landlock is too old");
  if (abi >= 6)
    report->layers |= RUNNER_LAYERS_LANDLOCK_SCOPE;
  else
    runner_report_note (report, RUNNER_LAYERS_LANDLOCK_SCOPE, 0,
                        "the kernel's Landlock is too old");
}

void
runner_landlock_restrict (const RunnerPlan *plan, int module_fd, RunnerReport *report)
{
  RunnerLandlockRuleset rules = { 0 };
  const char *scratch = runner_scratch_get_path (report);
  long abi = syscall (SYS_landlock_create_ruleset, NULL, 0, RUNNER_LANDLOCK_VERSION);
  int ruleset = -1;

  if (abi < 1)
    {
      runner_report_note (report, RUNNER_LAYERS_LANDLOCK, abi < 0 ? errno : 0,
                          "landlock_create_ruleset ()");
      return;
    }
  report->landlock_abi = (guint) abi;
  rules.handled_access_fs = runner_landlock_all_files ((guint) abi);
  rules.handled_access_net = abi >= 4 ? RUNNER_LANDLOCK_ALL_NET : 0;
  rules.scoped = abi >= 6 ? RUNNER_LANDLOCK_ALL_SCOPES : 0;
  /* an older kernel takes a longer structure whose new members are zero */
  ruleset = (int) syscall (SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
  if (ruleset < 0)
    {
      runner_report_note (report, RUNNER_LAYERS_LANDLOCK, errno, "landlock_create_ruleset ()");
      return;
    }
  if (!runner_landlock_allow_all (plan, ruleset, module_fd)
      || (scratch != NULL
          && !runner_landlock_allow_scratch (ruleset, scratch, rules.handled_access_fs)))
    runner_report_note (report, RUNNER_LAYERS_LANDLOCK, errno, "landlock_add_rule ()");
  else if (syscall (SYS_landlock_restrict_self, ruleset, 0) != 0)
    runner_report_note (report, RUNNER_LAYERS_LANDLOCK, errno, "landlock_restrict_self ()");
  else
    runner_landlock_count ((guint) abi, report);
  close (ruleset);
}
