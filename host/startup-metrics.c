/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* metrics.enabled decides whether anything is counted: without it there is no registry, and every
 * room counts nowhere. */
#include "startup-metrics.h"

/**
 * reeve_startup_metrics_open:
 * @services: with configuration
 */
void
reeve_startup_metrics_open (ReeveServices *services)
{
  ReeveConfig *config = services->config;

  if (!reeve_config_get_boolean (config, "metrics.enabled"))
    return;
  services->metrics = reeve_metrics_new (reeve_config_get_string (config, "metrics.prefix"));
  services->instruments = reeve_instruments_new (
      services->metrics, (guint) reeve_config_get_int (config, "metrics.max_tenants"));
}

ReeveMetricsState *
reeve_startup_metrics_watch (ReeveServices *services)
{
  return services->metrics != NULL ? reeve_metrics_state_new (services) : NULL;
}

void
reeve_startup_metrics_unwatch (ReeveServices *services, ReeveMetricsState *state)
{
  if (services->metrics != NULL)
    reeve_metrics_drop_collectors (services->metrics);
  if (state != NULL)
    reeve_metrics_state_free (state);
}

void
reeve_startup_metrics_close (ReeveServices *services)
{
  g_clear_pointer (&services->instruments, reeve_instruments_free);
  g_clear_pointer (&services->metrics, reeve_metrics_unref);
}
