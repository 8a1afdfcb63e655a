/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words and rules of the layers. */
#include "runner-layers.h"

static const struct
{
  const char *name;
  const char *remedy;
} runner_layers_words[RUNNER_LAYERS_COUNT] = {
  { "session", "start the host in a session of its own" },
  { "user", "let the host set user ids: plugins.uid_base must be mapped where it runs" },
  { "user-namespace", "allow user namespaces: sysctl user.max_user_namespaces, and "
                      "kernel.apparmor_restrict_unprivileged_userns=0 where there is one" },
  { "net-namespace", "allow network namespaces: sysctl user.max_net_namespaces" },
  { "ipc-namespace", "allow IPC namespaces: sysctl user.max_ipc_namespaces" },
  { "uts-namespace", "allow UTS namespaces: sysctl user.max_uts_namespaces" },
  { "cgroup-namespace", "allow cgroup namespaces: sysctl user.max_cgroup_namespaces" },
  { "mount-namespace", "allow mount namespaces: sysctl user.max_mnt_namespaces" },
  { "pid-namespace", "allow PID namespaces: sysctl user.max_pid_namespaces" },
  { "root", "run Linux 5.12 or newer, and allow mounts in user namespaces" },
  { "limits", "raise the hard limits of the host: ulimit -H" },
  { "capabilities", "start the host without capabilities that it cannot give up" },
  { "no-new-privileges", "run Linux 3.5 or newer" },
  { "not-dumpable", "allow prctl (PR_SET_DUMPABLE)" },
  { "mdwe", "run Linux 6.3 or newer" },
  { "landlock", "run Linux 5.13 or newer with landlock among its security modules: "
                "lsm=landlock,... at boot" },
  { "landlock-network", "run Linux 6.7 or newer" },
  { "landlock-scope", "run Linux 6.12 or newer" },
  { "seccomp", "run a kernel with CONFIG_SECCOMP_FILTER, and allow seccomp in the container" },
  { "sealed", "run a kernel with CONFIG_SECCOMP_FILTER, and allow seccomp in the container" },
  { "cgroup", "delegate a control group of version 2 to the host: Delegate=memory pids cpu in its "
              "unit, or plugins.cgroup" },
  { "scratch", "allow user and mount namespaces: sysctl user.max_user_namespaces and "
               "user.max_mnt_namespaces; or take the grant of scratch back" },
};

const char *
runner_layers_get_name (RunnerLayers layer)
{
  for (guint i = 0; i < RUNNER_LAYERS_COUNT; i++)
    {
      if (layer == (RunnerLayers) (1u << i))
        return runner_layers_words[i].name;
    }
  return "unknown";
}

const char *
runner_layers_get_remedy (RunnerLayers layer)
{
  for (guint i = 0; i < RUNNER_LAYERS_COUNT; i++)
    {
      if (layer == (RunnerLayers) (1u << i))
        return runner_layers_words[i].remedy;
    }
  return "";
}

char *
runner_layers_describe (RunnerLayers layers)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < RUNNER_LAYERS_COUNT; i++)
    {
      if ((layers & (1u << i)) == 0)
        continue;
      if (text->len > 0)
        g_string_append (text, ", ");
      g_string_append (text, runner_layers_words[i].name);
    }
  return g_string_free (text, FALSE);
}

RunnerLayers
runner_layers_find (const char *name)
{
  for (guint i = 0; i < RUNNER_LAYERS_COUNT; i++)
    {
      if (g_str_equal (runner_layers_words[i].name, name))
        return (RunnerLayers) (1u << i);
    }
  return 0;
}

RunnerLayers
runner_layers_get_required (RunnerLayersProfile profile, gboolean root)
{
  RunnerLayers layers = RUNNER_LAYERS_SESSION | RUNNER_LAYERS_LIMITS | RUNNER_LAYERS_CAPABILITIES
                        | RUNNER_LAYERS_NO_NEW_PRIVILEGES | RUNNER_LAYERS_NOT_DUMPABLE
                        | RUNNER_LAYERS_LANDLOCK | RUNNER_LAYERS_SECCOMP | RUNNER_LAYERS_SEALED;

  /* RLIMIT_NPROC does not hold for uid 0, and files of the host's would be the plugin's */
  if (root)
    layers |= RUNNER_LAYERS_USER;
  if (profile == RUNNER_LAYERS_PROFILE_HARDENED)
    layers |= RUNNER_LAYERS_NAMESPACES | RUNNER_LAYERS_ROOT;
  return layers;
}

RunnerLayers
runner_layers_get_wanted (RunnerLayersProfile profile, gboolean root)
{
  return runner_layers_get_required (profile, root) | RUNNER_LAYERS_MDWE
         | RUNNER_LAYERS_LANDLOCK_NETWORK | RUNNER_LAYERS_LANDLOCK_SCOPE | RUNNER_LAYERS_CGROUP;
}

const char *
runner_layers_get_profile_name (RunnerLayersProfile profile)
{
  return profile == RUNNER_LAYERS_PROFILE_HARDENED ? "hardened" : "strict";
}
