/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePluginLimits: how much a plugin's process may have: what its manifest asks for, as far as it
 * was granted and the deployment's ceiling leaves, else what is usual. */
#pragma once

#include "capabilities.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 memory;  /* bytes of address space; 0: no limit */
  guint32 threads; /* 0: the usual */
  guint32 cpu;     /* percent of a processor */
  guint64 scratch; /* bytes of a folder of its own to write in; 0: none */
  gboolean jit;    /* it may make code while it runs */
} ReevePluginLimits;

/* @capabilities: (nullable): nothing is granted. Any thread, no I/O but the kernel's own files. */
void reeve_plugin_limits_find (ReeveCapabilities *capabilities, ReeveManifest *manifest,
                               ReevePluginLimits *limits);
gboolean reeve_plugin_limits_equal (const ReevePluginLimits *one, const ReevePluginLimits *other);

G_END_DECLS
