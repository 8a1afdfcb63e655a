/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process serves all tenants, so what is granted to one of them alone changes nothing here. */
#include "plugin-limits.h"

#include "base/cgroup.h"

#include "manifest-limits.h"

#define REEVE_PLUGIN_LIMITS_MIB    (1024 * 1024)
#define REEVE_PLUGIN_LIMITS_MEMORY 4096 /* MiB */

/* MiB, where neither manifest nor grant says */
#define REEVE_PLUGIN_LIMITS_SCRATCH      64
#define REEVE_PLUGIN_LIMITS_MOST_SCRATCH (16 * 1024)

/* The smaller one; 0 is none. */
static gint64
reeve_plugin_limits_meet (gint64 one, gint64 other)
{
  return one == 0 || (other != 0 && other < one) ? other : one;
}

/* What comes of the request, the grants and the ceiling; 0: the usual. */
static guint32
reeve_plugin_limits_get_amount (ReeveCapabilities *capabilities, ReeveManifest *manifest,
                                const char *capability)
{
  gint64 granted = 0;
  gint64 ceiling = 0;

  if (capabilities == NULL
      || !reeve_capabilities_get_amount (capabilities, manifest, capability, &granted, &ceiling))
    return 0;
  granted = reeve_plugin_limits_meet (granted, ceiling);
  return (guint32) MIN (
      reeve_plugin_limits_meet (granted, reeve_manifest_limits_get (manifest, capability)),
      (gint64) G_MAXUINT32);
}

/* Bytes; unlike the others it is nothing without a grant. */
static guint64
reeve_plugin_limits_find_scratch (ReeveCapabilities *capabilities, ReeveManifest *manifest)
{
  gint64 granted = 0;
  gint64 ceiling = 0;
  gint64 amount = 0;

  if (capabilities == NULL
      || !reeve_capabilities_get_amount (capabilities, manifest, "scratch", &granted, &ceiling))
    return 0;
  amount = reeve_plugin_limits_meet (granted, reeve_manifest_limits_get (manifest, "scratch"));
  if (amount == 0)
    amount = REEVE_PLUGIN_LIMITS_SCRATCH;
  amount = MIN (reeve_plugin_limits_meet (amount, ceiling), REEVE_PLUGIN_LIMITS_MOST_SCRATCH);
  return (guint64) amount * REEVE_PLUGIN_LIMITS_MIB;
}

void
reeve_plugin_limits_find (ReeveCapabilities *capabilities, ReeveManifest *manifest,
                          ReevePluginLimits *limits)
{
  guint32 memory = reeve_plugin_limits_get_amount (capabilities, manifest, "memory");
  guint32 cpu = reeve_plugin_limits_get_amount (capabilities, manifest, "cpu");
  gint64 amount = 0;

  limits->memory
      = (guint64) (memory != 0 ? memory : REEVE_PLUGIN_LIMITS_MEMORY) * REEVE_PLUGIN_LIMITS_MIB;
  limits->threads = reeve_plugin_limits_get_amount (capabilities, manifest, "threads");
  /* the other half is for the host and whoever asks it */
  limits->cpu = cpu != 0 ? cpu : reeve_cgroup_count_processors () * 100 / 2;
  limits->scratch = reeve_plugin_limits_find_scratch (capabilities, manifest);
  limits->jit = capabilities != NULL
                && reeve_capabilities_get_amount (capabilities, manifest, "jit", &amount, &amount);
}

gboolean
reeve_plugin_limits_equal (const ReevePluginLimits *one, const ReevePluginLimits *other)
{
  return one->memory == other->memory && one->threads == other->threads && one->cpu == other->cpu
         && one->scratch == other->scratch && one->jit == other->jit;
}
