/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCpuLatency: asks the kernel not to let idle processors sleep while one short wait follows
 * the other. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* where the kernel takes such requests */
#define REEVE_CPU_LATENCY_DEVICE "/dev/cpu_dma_latency"

typedef struct _ReeveCpuLatency ReeveCpuLatency;

ReeveCpuLatency *reeve_cpu_latency_open (const char *device, gint64 gap, gint64 longest,
                                         GError **error);
void reeve_cpu_latency_enter (ReeveCpuLatency *self, gint64 now);
gint64 reeve_cpu_latency_leave (ReeveCpuLatency *self, gint64 now);
void reeve_cpu_latency_release (ReeveCpuLatency *self);
void reeve_cpu_latency_free (ReeveCpuLatency *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCpuLatency, reeve_cpu_latency_free)

G_END_DECLS
