/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Section telemetry of the configuration. */
#include "startup-telemetry.h"

#include <string.h>

#include "base/ids.h"

/* a collector that is slow must not keep the host from ending */
#define REEVE_STARTUP_TELEMETRY_FLUSH_US (1500 * G_TIME_SPAN_MILLISECOND)

#define REEVE_STARTUP_TELEMETRY_HEADERS "telemetry.otlp.headers"

static gboolean
reeve_startup_telemetry_is_name (const char *text)
{
  if (*text == '\0')
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && strchr ("!#$%&'*+-.^_`|~", *text) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
reeve_startup_telemetry_is_value (const char *text)
{
  for (; *text != '\0'; text++)
    if ((guint8) *text < 0x20 || *text == 0x7f)
      return FALSE;
  return TRUE;
}

/* (transfer full) (nullable): names and values */
static char **
reeve_startup_telemetry_read_headers (ReeveServices *services, GError **error)
{
  JsonNode *node = reeve_config_get_json (services->config, REEVE_STARTUP_TELEMETRY_HEADERS);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return g_strv_builder_end (builder);
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &name, &value))
    {
      if (!reeve_startup_telemetry_is_name (name)
          || !reeve_startup_telemetry_is_value (json_node_get_string (value)))
        {
          g_autofree char *text = reeve_config_blame (
              services->config, REEVE_STARTUP_TELEMETRY_HEADERS, "one of them is no header");

          g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, text);
          return NULL;
        }
      g_strv_builder_add_many (builder, name, json_node_get_string (value), NULL);
    }
  return g_strv_builder_end (builder);
}

/* Names what leaves the host from now on, and for where: as an administrator configured it, so it
 * is no effect of anybody's and goes through no gate, but who reads the ledger is to see it. */
static void
reeve_startup_telemetry_note (ReeveStartupTelemetry *self, ReeveServices *services)
{
  g_auto (ReeveOtlpExporterStatus) status = { 0 };
  ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_EVENT,
    .scope = REEVE_SCOPE_PLATFORM,
    .action = "telemetry.started",
    .actor_type = "system",
    .actor_id = "host",
    .resource_type = "collector",
    .door = "internal",
  };

  reeve_otlp_exporter_get_status (self->exporter, &status);
  record.resource_id = status.origin;
  record.reason = status.traces && status.metrics ? "traces_and_metrics"
                  : status.traces                 ? "traces"
                  : status.metrics                ? "metrics"
                                                  : "nothing";
  reeve_ledger_append_async (services->ledger, &record, NULL, NULL);
}

static gboolean
reeve_startup_telemetry_export (ReeveStartupTelemetry *self, ReeveServices *services,
                                const char *endpoint, GError **error)
{
  ReeveConfig *config = services->config;
  g_autofree char *instance = reeve_ids_new_uuid ();
  const char *const resource[]
      = { "service.name", "reeve",     "service.version",  REEVE_VERSION, "service.instance.id",
          instance,       "host.name", g_get_host_name (), NULL };
  const char *ca = reeve_config_get_string (config, "telemetry.otlp.ca");
  ReeveMetrics *const registries[] = { services->metrics };
  g_auto (GStrv) headers = reeve_startup_telemetry_read_headers (services, error);
  g_autoptr (ReeveHttpTrust) trust
      = ca != NULL ? reeve_http_trust_new (ca)
                   : reeve_http_trust_ref (reeve_models_get_trust (services->models));
  const ReeveOtlpExporterSetup setup = {
    .endpoint = endpoint,
    .headers = (const char *const *) headers,
    .resource = resource,
    .timeout_ms = (guint) reeve_config_get_int (config, "telemetry.otlp.timeout_ms"),
    .interval_seconds = (guint) reeve_config_get_int (config, "telemetry.otlp.interval_seconds"),
    .tracer = self->tracer,
    .registries = registries,
    .n_registries
    = reeve_config_get_boolean (config, "telemetry.otlp.metrics") ? G_N_ELEMENTS (registries) : 0,
  };

  if (headers == NULL)
    return FALSE;
  self->exporter = services->exporter = reeve_otlp_exporter_new (&setup, trust);
  reeve_startup_telemetry_note (self, services);
  return TRUE;
}

/**
 * reeve_startup_telemetry_open:
 * @self: what is opened
 * @services: of the host, with its gate and its models
 * @net: performs requests of plugins
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION
 */
gboolean
reeve_startup_telemetry_open (ReeveStartupTelemetry *self, ReeveServices *services,
                              ReeveNetHttp *net, GError **error)
{
  ReeveConfig *config = services->config;
  const char *endpoint = reeve_config_get_string (config, "telemetry.otlp.endpoint");
  g_auto (GStrv) parents = reeve_config_get_strv (config, "telemetry.propagation.traceparent");
  g_auto (GStrv) states = reeve_config_get_strv (config, "telemetry.propagation.tracestate");

  self->propagation
      = reeve_propagation_new ((const char *const *) parents, (const char *const *) states);
  if (endpoint != NULL && reeve_config_get_boolean (config, "telemetry.otlp.traces"))
    self->tracer
        = reeve_tracer_new (reeve_config_get_double (config, "telemetry.otlp.sample_ratio"),
                            (guint) reeve_config_get_int (config, "telemetry.otlp.queue"));
  services->tracer = self->tracer;
  self->signals = services->metrics != NULL ? reeve_model_signals_new (services->metrics) : NULL;
  reeve_models_set_signals (services->models, self->signals);
  reeve_admission_set_tracer (services->admission, self->tracer);
  reeve_models_set_tracing (services->models, self->tracer, self->propagation);
  reeve_net_http_set_propagation (net, self->propagation);
  return endpoint == NULL || reeve_startup_telemetry_export (self, services, endpoint, error);
}

void
reeve_startup_telemetry_stop (ReeveStartupTelemetry *self)
{
  if (self->exporter != NULL)
    reeve_otlp_exporter_stop (self->exporter, REEVE_STARTUP_TELEMETRY_FLUSH_US);
}

void
reeve_startup_telemetry_close (ReeveStartupTelemetry *self)
{
  g_clear_pointer (&self->exporter, reeve_otlp_exporter_free);
  g_clear_pointer (&self->tracer, reeve_tracer_unref);
  g_clear_pointer (&self->signals, reeve_model_signals_free);
  g_clear_pointer (&self->propagation, reeve_propagation_free);
}
