/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layers that confine a plugin's process, by name: what host and runner call them, which
 * profile needs which, and what to do where one is missing. Both link this; nobody else. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bit n is layer number n; in the order in which they are put on. */
typedef enum
{
  RUNNER_LAYERS_SESSION = 1 << 0,          /* no descriptor, variable, terminal of the host's */
  RUNNER_LAYERS_USER = 1 << 1,             /* a user of the plugin's own: where the host is root */
  RUNNER_LAYERS_USER_NAMESPACE = 1 << 2,   /* */
  RUNNER_LAYERS_NET_NAMESPACE = 1 << 3,    /* no interface but a loopback of its own */
  RUNNER_LAYERS_IPC_NAMESPACE = 1 << 4,    /* */
  RUNNER_LAYERS_UTS_NAMESPACE = 1 << 5,    /* */
  RUNNER_LAYERS_CGROUP_NAMESPACE = 1 << 6, /* */
  RUNNER_LAYERS_MOUNT_NAMESPACE = 1 << 7,  /* */
  RUNNER_LAYERS_PID_NAMESPACE = 1 << 8,    /* */
  RUNNER_LAYERS_ROOT = 1 << 9,          /* a root folder with libraries and the module, read-only */
  RUNNER_LAYERS_LIMITS = 1 << 10,       /* rlimits */
  RUNNER_LAYERS_CAPABILITIES = 1 << 11, /* of the kernel's: none */
  RUNNER_LAYERS_NO_NEW_PRIVILEGES = 1 << 12,
  RUNNER_LAYERS_NOT_DUMPABLE = 1 << 13,     /* no core, no ptrace by its like */
  RUNNER_LAYERS_MDWE = 1 << 14,             /* memory that was writable never becomes executable */
  RUNNER_LAYERS_LANDLOCK = 1 << 15,         /* files: libraries and the module, to read */
  RUNNER_LAYERS_LANDLOCK_NETWORK = 1 << 16, /* TCP: none */
  RUNNER_LAYERS_LANDLOCK_SCOPE = 1 << 17,   /* no abstract socket, no signal to who is outside */
  RUNNER_LAYERS_SECCOMP = 1 << 18,          /* calls of the system: an allow-list */
  RUNNER_LAYERS_SEALED = 1 << 19,           /* behind the loading of the module: no more code */
  RUNNER_LAYERS_CGROUP = 1 << 20,           /* limits of a control group: the host's, before all */
  RUNNER_LAYERS_SCRATCH = 1 << 21 /* where that is granted: a folder of its own, which the kernel
                                     bounds; behind the root */
} RunnerLayers;

#define RUNNER_LAYERS_COUNT 22
#define RUNNER_LAYERS_NAMESPACES                                                                   \
  (RUNNER_LAYERS_USER_NAMESPACE | RUNNER_LAYERS_NET_NAMESPACE | RUNNER_LAYERS_IPC_NAMESPACE        \
   | RUNNER_LAYERS_UTS_NAMESPACE | RUNNER_LAYERS_CGROUP_NAMESPACE | RUNNER_LAYERS_MOUNT_NAMESPACE  \
   | RUNNER_LAYERS_PID_NAMESPACE)

typedef enum
{
  RUNNER_LAYERS_PROFILE_STRICT,  /* needs no namespace: works in containers and under flatpak */
  RUNNER_LAYERS_PROFILE_HARDENED /* and namespaces, and a root folder of its own */
} RunnerLayersProfile;

/* Word of one layer, as reports and errors say it: `landlock-network`. Static. */
const char *runner_layers_get_name (RunnerLayers layer);
/* What an administrator can do where it is missing, as a sentence without a full stop. Static. */
const char *runner_layers_get_remedy (RunnerLayers layer);
/* (transfer full): names of all that are set, in order, with a comma and a space between */
char *runner_layers_describe (RunnerLayers layers);
/* The layer of that name; 0: there is none. */
RunnerLayers runner_layers_find (const char *name);
/* What a profile does not do without. @root: the host is root. Others are put on where the kernel
 * has them. */
RunnerLayers runner_layers_get_required (RunnerLayersProfile profile, gboolean root);
/* All that a profile asks the kernel for. */
RunnerLayers runner_layers_get_wanted (RunnerLayersProfile profile, gboolean root);
const char *runner_layers_get_profile_name (RunnerLayersProfile profile);

G_END_DECLS
