/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names, units, attributes and bounds of buckets:
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/. What a service did not say of
 * tokens is not there, as the convention wants it: an estimate is no usage. */
#include "model-signals.h"

#define REEVE_MODEL_SIGNALS_MICROSECOND 1e-6

typedef enum
{
  REEVE_MODEL_SIGNALS_TOKENS,
  REEVE_MODEL_SIGNALS_DURATION,
  REEVE_MODEL_SIGNALS_FIRST_CHUNK,
  REEVE_MODEL_SIGNALS_N
} ReeveModelSignalsFamily;

struct _ReeveModelSignals
{
  ReeveMetrics *metrics;
  ReeveMetric *families[REEVE_MODEL_SIGNALS_N];
};

#define REEVE_MODEL_SIGNALS_BOUNDS(a)   .bounds = a, .n_bounds = G_N_ELEMENTS (a)
#define REEVE_MODEL_SIGNALS_LABELS(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* what is told of every call; the model that answered is the last, which gives way first when a
 * family is full: it is the service's word */
#define REEVE_MODEL_SIGNALS_CALL                                                                   \
  "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "server.address",       \
      "server.port"
#define REEVE_MODEL_SIGNALS_ANSWER "gen_ai.response.model"

static const gint64 reeve_model_signals_counts[]
    = { 1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864 };
/* µs */
static const gint64 reeve_model_signals_times[]
    = { 10000,   20000,   40000,   80000,    160000,   320000,   640000,
        1280000, 2560000, 5120000, 10240000, 20480000, 40960000, 81920000 };

static const ReeveMetricSetup reeve_model_signals_setups[] = {
  [REEVE_MODEL_SIGNALS_TOKENS]
  = { .name = "gen_ai.client.token.usage",
      .help = "Tokens of a call of a model, as the service says",
      .unit = "tokens",
      .kind = REEVE_METRIC_HISTOGRAM,
      .labels = REEVE_MODEL_SIGNALS_LABELS (REEVE_MODEL_SIGNALS_CALL, "gen_ai.token.type",
                                            REEVE_MODEL_SIGNALS_ANSWER),
      REEVE_MODEL_SIGNALS_BOUNDS (reeve_model_signals_counts),
      .convention = TRUE },
  [REEVE_MODEL_SIGNALS_DURATION]
  = { .name = "gen_ai.client.operation.duration",
      .help = "Time from asking a model to the end of its answer, all tries together",
      .unit = "seconds",
      .kind = REEVE_METRIC_HISTOGRAM,
      .labels = REEVE_MODEL_SIGNALS_LABELS (REEVE_MODEL_SIGNALS_CALL, "error.type",
                                            REEVE_MODEL_SIGNALS_ANSWER),
      .scale = REEVE_MODEL_SIGNALS_MICROSECOND,
      REEVE_MODEL_SIGNALS_BOUNDS (reeve_model_signals_times),
      .convention = TRUE },
  [REEVE_MODEL_SIGNALS_FIRST_CHUNK]
  = { .name = "gen_ai.client.operation.time_to_first_chunk",
      .help = "Time from asking a model to the first piece of an answer that is streamed",
      .unit = "seconds",
      .kind = REEVE_METRIC_HISTOGRAM,
      .labels = REEVE_MODEL_SIGNALS_LABELS (REEVE_MODEL_SIGNALS_CALL, REEVE_MODEL_SIGNALS_ANSWER),
      .scale = REEVE_MODEL_SIGNALS_MICROSECOND,
      REEVE_MODEL_SIGNALS_BOUNDS (reeve_model_signals_times),
      .convention = TRUE },
};

/**
 * reeve_model_signals_new:
 * @metrics: a registry
 *
 * Returns: (transfer full): what counts in it
 */
ReeveModelSignals *
reeve_model_signals_new (ReeveMetrics *metrics)
{
  ReeveModelSignals *self = g_new0 (ReeveModelSignals, 1);

  self->metrics = reeve_metrics_ref (metrics);
  for (guint i = 0; i < REEVE_MODEL_SIGNALS_N; i++)
    self->families[i] = reeve_metrics_add (metrics, &reeve_model_signals_setups[i]);
  return self;
}

void
reeve_model_signals_free (ReeveModelSignals *self)
{
  reeve_metrics_unref (self->metrics);
  g_free (self);
}

/**
 * reeve_model_signals_note:
 * @self: (nullable): signals
 * @trace: a call that ends now
 * @response: (nullable): its answer
 * @error: (nullable): why there is none
 */
void
reeve_model_signals_note (ReeveModelSignals *self, const ReeveModelTrace *trace,
                          const ReeveModelResponse *response, const GError *error)
{
  const ReeveModelProvider *provider = trace->provider;
  const char *operation = reeve_model_trace_get_operation (trace);
  const char *who = reeve_model_trace_get_provider (trace);
  const char *asked = reeve_llm_request_get_model (trace->request);
  const char *answered = response != NULL ? response->model : NULL;
  const char *failed = reeve_model_trace_get_failure (error);

  if (self == NULL)
    return;
  reeve_metrics_observe (self->families[REEVE_MODEL_SIGNALS_DURATION],
                         g_get_monotonic_time () - trace->began,
                         REEVE_LABELS (operation, who, asked, provider->server_address,
                                       provider->server_port, failed, answered));
  if (trace->first != 0)
    reeve_metrics_observe (self->families[REEVE_MODEL_SIGNALS_FIRST_CHUNK],
                           trace->first - trace->began,
                           REEVE_LABELS (operation, who, asked, provider->server_address,
                                         provider->server_port, answered));
  if (response == NULL)
    return;
  if (response->input_tokens >= 0)
    reeve_metrics_observe (self->families[REEVE_MODEL_SIGNALS_TOKENS], response->input_tokens,
                           REEVE_LABELS (operation, who, asked, provider->server_address,
                                         provider->server_port, "input", answered));
  if (response->output_tokens >= 0)
    reeve_metrics_observe (self->families[REEVE_MODEL_SIGNALS_TOKENS], response->output_tokens,
                           REEVE_LABELS (operation, who, asked, provider->server_address,
                                         provider->server_port, "output", answered));
}
