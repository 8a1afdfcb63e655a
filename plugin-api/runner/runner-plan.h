/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What host and runner say to each other on the control socket (SOCK_SEQPACKET, descriptor 3)
 * before any code of the plugin runs; each message one GVariant. Both link this; nobody else. */
#pragma once

#include "runner-report.h"

G_BEGIN_DECLS

/* with this a runner ends that has no memory left */
#define RUNNER_PLAN_EXIT_MEMORY 70
#define RUNNER_PLAN_CONTROL_FD  3 /* the control socket */
#define RUNNER_PLAN_MODULE_FD   4 /* the module, open for reading; none: the host only probes */
#define RUNNER_PLAN_WIRE_FD     5 /* the wire, a socket: where there is a module */
#define RUNNER_PLAN_ASK_FD      6 /* of a script: connections that libraries make; the runner's own */
#define RUNNER_PLAN_MAX_MESSAGE 16384
#define RUNNER_PLAN_SCRATCH     "/tmp" /* where the folder is that it may write in */
#define RUNNER_PLAN_FOLDER      "."    /* the same, of one on the host's disk */

/* What the host asks for. */
typedef struct
{
  RunnerLayersProfile profile;
  RunnerLayers required; /* the runner gives up where one of these cannot be put on */
  gboolean probe;        /* say what can be put on, load nothing */
  guint32 uid;           /* user and group of the plugin's own; 0: as the host */
  guint64 memory;        /* bytes of address space */
  guint32 processes;     /* threads; of the user's, or of the namespace's */
  guint32 files;         /* descriptors */
  guint64 file_size;     /* bytes that one file may grow to */
  guint64 scratch;       /* bytes of a folder of its own to write in; 0: none */
  char *folder;      /* (nullable) (owned) on the host's disk, for that, where none in memory can
                        be had */
  gboolean jit;      /* it may make code while it runs */
  gboolean tcp;      /* its libraries may connect by themselves: the host is asked */
  char **folders;    /* (nullable) (owned) to be read, besides the system's libraries */
  char *interpreter; /* (nullable) (owned) full path of a library; the module is a script */
  char **imports;    /* (nullable) (owned) what it imports for the script before the seal */
} RunnerPlan;

/* How many calls a runner with so many threads performs at once; more wait in it. */
guint runner_plan_get_n_workers (guint32 processes);
/* (transfer full): as it goes out */
GVariant *runner_plan_to_variant (const RunnerPlan *self);
/* FALSE: @variant is no plan. @self is filled in and cleared by runner_plan_clear(). */
gboolean runner_plan_from_variant (RunnerPlan *self, GVariant *variant);
void runner_plan_clear (RunnerPlan *self);

/* Both block; EINTR is no end. FALSE with errno set; EPROTO for what is no message, ENOTCONN for an
 * end. */
gboolean runner_plan_send (int fd, GVariant *message);
/* The same with a descriptor, which stays the caller's; -1: none */
gboolean runner_plan_send_with (int fd, GVariant *message, int passed);
/* (transfer full) (nullable) in normal form, of type @type */
GVariant *runner_plan_receive (int fd, const GVariantType *type);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RunnerPlan, runner_plan_clear)

#define RUNNER_PLAN_TYPE    G_VARIANT_TYPE ("(uubutuuttsbbassas)")
#define RUNNER_PLAN_GO_TYPE G_VARIANT_TYPE ("(b)") /* TRUE: go on */

G_END_DECLS
