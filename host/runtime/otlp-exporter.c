/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two signals, each with one request under way at most. What a collector wants later is sent later,
 * and a few times only; meanwhile spans wait in the tracer, where they have a bound. */
#include "otlp-exporter.h"

#include <string.h>

#include "http-origin.h"
#include "http-thread.h"
#include "otlp-answer.h"
#include "otlp-encode.h"
#include "otlp-metrics.h"

#define REEVE_OTLP_EXPORTER_BATCH      512
#define REEVE_OTLP_EXPORTER_ATTEMPTS   5
#define REEVE_OTLP_EXPORTER_PAUSE_MS   1000
#define REEVE_OTLP_EXPORTER_LONGEST_MS 30000
#define REEVE_OTLP_EXPORTER_KEEP_MS    30000
/* how often it is said that spans were lost */
#define REEVE_OTLP_EXPORTER_TELL_US (60 * G_USEC_PER_SEC)

typedef struct
{
  ReeveOtlpExporter *exporter;
  const char *what; /* traces, metrics */
  char *url;
  GBytes *body; /* (nullable): on its way, or to be sent again */
  guint items;
  guint attempts;
  gboolean busy;   /* a request is under way */
  GSource *pause;  /* (nullable): until it is tried again */
  gboolean failed; /* the last one; said once */
  guint status;
  char *retry_after;
  GByteArray *answer;
} ReeveOtlpSignal;

struct _ReeveOtlpExporter
{
  ReeveHttpThread *thread;
  ReeveHttpClient *client; /* the thread's, as everything up to the lock */
  char **headers;
  char *origin;
  char *resource;
  guint timeout_ms;
  guint interval;
  ReeveTracer *tracer;
  GPtrArray *registries;
  gint64 offset;
  ReeveOtlpSignal traces;
  ReeveOtlpSignal metrics;
  GSource *timer;
  guint64 lost; /* spans that were taken and could not be sent */
  guint64 told;
  gint64 told_at;
  gboolean stopping;
  GMutex lock; /* guards what follows */
  GCond changed;
  gboolean done;
  gint64 failing;     /* monotonic µs; 0: everything is taken */
  guint64 known_lost; /* with those that the tracer dropped */
};

static void reeve_otlp_exporter_pump (ReeveOtlpSignal *signal);
static void reeve_otlp_exporter_send (ReeveOtlpSignal *signal);

/* ---- what is said ---- */

static void
reeve_otlp_exporter_tell (ReeveOtlpSignal *signal, gboolean failed, const char *text)
{
  ReeveOtlpExporter *self = signal->exporter;

  if (failed == signal->failed)
    return;
  signal->failed = failed;
  g_mutex_lock (&self->lock);
  if (!self->traces.failed && !self->metrics.failed)
    self->failing = 0;
  else if (self->failing == 0)
    self->failing = g_get_monotonic_time ();
  g_mutex_unlock (&self->lock);
  if (failed)
    g_warning ("%s are not taken by the collector at %s: %s", signal->what, signal->url,
               text != NULL ? text : "it does not say why");
  else
    g_message ("%s are taken by the collector at %s again", signal->what, signal->url);
}

static void
reeve_otlp_exporter_tell_lost (ReeveOtlpExporter *self, gboolean now)
{
  guint64 lost = self->lost + (self->tracer != NULL ? reeve_tracer_get_dropped (self->tracer) : 0);

  g_mutex_lock (&self->lock);
  self->known_lost = lost;
  g_mutex_unlock (&self->lock);
  if (lost == self->told
      || (!now && self->told_at != 0
          && g_get_monotonic_time () - self->told_at < REEVE_OTLP_EXPORTER_TELL_US))
    return;
  g_warning ("%" G_GUINT64_FORMAT " spans were dropped, %" G_GUINT64_FORMAT
             " since the start: the collector does not keep up",
             lost - self->told, lost);
  self->told = lost;
  self->told_at = g_get_monotonic_time ();
}

/* ---- the end ---- */

static gboolean
reeve_otlp_exporter_is_idle (ReeveOtlpSignal *signal)
{
  return signal->body == NULL && !signal->busy && signal->pause == NULL;
}

static void
reeve_otlp_exporter_check_done (ReeveOtlpExporter *self)
{
  if (!self->stopping || !reeve_otlp_exporter_is_idle (&self->traces)
      || !reeve_otlp_exporter_is_idle (&self->metrics))
    return;
  g_mutex_lock (&self->lock);
  self->done = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* ---- one request ---- */

static void
reeve_otlp_exporter_drop (ReeveOtlpSignal *signal)
{
  g_clear_pointer (&signal->body, g_bytes_unref);
  signal->items = signal->attempts = 0;
}

static gboolean
reeve_otlp_exporter_on_pause_over (gpointer user_data)
{
  ReeveOtlpSignal *signal = user_data;

  g_clear_pointer (&signal->pause, g_source_unref);
  reeve_otlp_exporter_pump (signal);
  return G_SOURCE_REMOVE;
}

/* Metrics are cumulative: what is sent after the pause is newer, and nothing is lost. */
static void
reeve_otlp_exporter_retry (ReeveOtlpSignal *signal, gint wait)
{
  ReeveOtlpExporter *self = signal->exporter;
  gint pause = MIN (REEVE_OTLP_EXPORTER_PAUSE_MS << MIN (signal->attempts - 1, 8),
                    REEVE_OTLP_EXPORTER_LONGEST_MS);

  pause += g_random_int_range (0, pause / 2);
  if (wait >= 0)
    pause = wait * 1000;
  if (signal == &self->metrics)
    reeve_otlp_exporter_drop (signal);
  else if (self->stopping || signal->attempts >= REEVE_OTLP_EXPORTER_ATTEMPTS)
    {
      self->lost += signal->items;
      reeve_otlp_exporter_drop (signal);
    }
  if (self->stopping)
    return;
  signal->pause = g_timeout_source_new ((guint) pause);
  g_source_set_callback (signal->pause, reeve_otlp_exporter_on_pause_over, signal, NULL);
  g_source_attach (signal->pause, reeve_http_thread_get_context (self->thread));
}

static void
reeve_otlp_exporter_on_head (ReeveUpstreamCall *call, ReeveHttpResponse *head, gpointer user_data)
{
  ReeveOtlpSignal *signal = user_data;

  signal->status = reeve_http_response_get_status (head);
  signal->retry_after = g_strdup (reeve_http_response_get_header (head, "Retry-After"));
}

static void
reeve_otlp_exporter_on_data (ReeveUpstreamCall *call, const guint8 *data, gsize length,
                             gpointer user_data)
{
  g_byte_array_append (((ReeveOtlpSignal *) user_data)->answer, data, (guint) length);
}

static void
reeve_otlp_exporter_take_answer (ReeveOtlpSignal *signal, const ReeveOtlpAnswer *answer)
{
  g_autofree char *status = g_strdup_printf ("status %u", signal->status);
  const char *text = answer->text != NULL ? answer->text : status;

  switch (answer->kind)
    {
    case REEVE_OTLP_ANSWER_LATER:
      reeve_otlp_exporter_tell (signal, TRUE, text);
      reeve_otlp_exporter_retry (signal, answer->wait);
      return;
    case REEVE_OTLP_ANSWER_PARTLY:
      g_warning ("the collector at %s refused %" G_GUINT64_FORMAT " of %u %s: %s", signal->url,
                 answer->rejected, signal->items,
                 signal == &signal->exporter->traces ? "spans" : "points", text);
      break;
    case REEVE_OTLP_ANSWER_REFUSED:
      reeve_otlp_exporter_tell (signal, TRUE, text);
      if (signal == &signal->exporter->traces)
        signal->exporter->lost += signal->items;
      reeve_otlp_exporter_drop (signal);
      return;
    case REEVE_OTLP_ANSWER_TAKEN:
    default:
      break;
    }
  reeve_otlp_exporter_tell (signal, FALSE, NULL);
  reeve_otlp_exporter_drop (signal);
}

static void
reeve_otlp_exporter_on_done (ReeveUpstreamCall *call, const GError *error, gpointer user_data)
{
  ReeveOtlpSignal *signal = user_data;
  ReeveOtlpExporter *self = signal->exporter;
  g_auto (ReeveOtlpAnswer) answer = { 0 };
  gboolean more = signal->items == REEVE_OTLP_EXPORTER_BATCH || self->stopping;

  signal->busy = FALSE;
  if (error != NULL)
    {
      reeve_otlp_exporter_tell (signal, TRUE, error->message);
      reeve_otlp_exporter_retry (signal, -1);
    }
  else
    {
      reeve_otlp_answer_read (signal->status, signal->retry_after, g_get_real_time (),
                              (const char *) signal->answer->data, signal->answer->len, &answer);
      reeve_otlp_exporter_take_answer (signal, &answer);
    }
  /* what is not a whole batch waits for its time, as metrics do */
  if (more && !signal->failed && signal == &self->traces)
    reeve_otlp_exporter_pump (signal);
  reeve_otlp_exporter_check_done (self);
}

static const ReeveUpstreamHandlers reeve_otlp_exporter_handlers = {
  .head = reeve_otlp_exporter_on_head,
  .data = reeve_otlp_exporter_on_data,
  .done = reeve_otlp_exporter_on_done,
};

static void
reeve_otlp_exporter_send (ReeveOtlpSignal *signal)
{
  ReeveOtlpExporter *self = signal->exporter;
  const ReeveUpstreamOptions options = { .connect_ms = self->timeout_ms,
                                         .first_byte_ms = self->timeout_ms,
                                         .idle_ms = self->timeout_ms,
                                         .total_ms = self->timeout_ms,
                                         .max_response = REEVE_OTLP_ANSWER_LONGEST };
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("POST", signal->url);

  signal->attempts++;
  signal->busy = TRUE;
  signal->status = 0;
  g_clear_pointer (&signal->retry_after, g_free);
  g_byte_array_set_size (signal->answer, 0);
  for (char **header = self->headers; header[0] != NULL; header += 2)
    reeve_http_request_add_header (request, header[0], header[1]);
  reeve_http_request_add_header (request, "Accept", "application/json");
  reeve_http_request_set_body (request, "application/json", signal->body);
  reeve_upstream_start (REEVE_UPSTREAM (self->client), request, &options,
                        &reeve_otlp_exporter_handlers, signal);
}

/* ---- what is sent ---- */

static void
reeve_otlp_exporter_fill_traces (ReeveOtlpExporter *self)
{
  g_autoptr (GPtrArray) spans
      = self->tracer != NULL ? reeve_tracer_drain (self->tracer, REEVE_OTLP_EXPORTER_BATCH) : NULL;

  if (spans == NULL || spans->len == 0)
    return;
  self->traces.items = spans->len;
  self->traces.body = reeve_otlp_encode_spans (self->resource, spans, self->offset);
}

static void
reeve_otlp_exporter_fill_metrics (ReeveOtlpExporter *self)
{
  if (self->registries->len > 0)
    self->metrics.body = reeve_otlp_metrics_encode (
        self->resource, (ReeveMetrics *const *) self->registries->pdata, self->registries->len,
        g_get_real_time (), &self->metrics.items);
}

/* Sends what there is, unless something is on its way or is to wait. */
static void
reeve_otlp_exporter_pump (ReeveOtlpSignal *signal)
{
  ReeveOtlpExporter *self = signal->exporter;

  if (signal->busy || signal->pause != NULL)
    return;
  if (signal->body == NULL && signal == &self->traces)
    reeve_otlp_exporter_fill_traces (self);
  else if (signal->body == NULL)
    reeve_otlp_exporter_fill_metrics (self);
  if (signal->body != NULL)
    reeve_otlp_exporter_send (signal);
}

/* A clock that was set: spans of one trace keep their order unless it happened within. */
static void
reeve_otlp_exporter_look_at_clock (ReeveOtlpExporter *self)
{
  gint64 offset = g_get_real_time () - g_get_monotonic_time ();

  if (ABS (offset - self->offset) > G_USEC_PER_SEC / 10)
    self->offset = offset;
}

static gboolean
reeve_otlp_exporter_on_tick (gpointer user_data)
{
  ReeveOtlpExporter *self = user_data;

  reeve_otlp_exporter_look_at_clock (self);
  reeve_otlp_exporter_pump (&self->traces);
  reeve_otlp_exporter_pump (&self->metrics);
  reeve_otlp_exporter_tell_lost (self, FALSE);
  return G_SOURCE_CONTINUE;
}

static gboolean
reeve_otlp_exporter_on_ready_here (gpointer user_data)
{
  ReeveOtlpExporter *self = user_data;

  reeve_otlp_exporter_pump (&self->traces);
  return G_SOURCE_REMOVE;
}

/* On whatever thread has ended a span. */
static void
reeve_otlp_exporter_on_ready (gpointer user_data)
{
  ReeveOtlpExporter *self = user_data;

  reeve_http_thread_submit (self->thread, reeve_otlp_exporter_on_ready_here, self, NULL, NULL);
}

static gboolean
reeve_otlp_exporter_start (gpointer user_data)
{
  ReeveOtlpExporter *self = user_data;

  self->client = reeve_http_thread_ref_client (self->thread, NULL);
  if (self->client == NULL)
    return G_SOURCE_REMOVE;
  reeve_http_client_set_limits (self->client, 2, 8, REEVE_OTLP_EXPORTER_KEEP_MS);
  self->timer = g_timeout_source_new_seconds (self->interval);
  g_source_set_callback (self->timer, reeve_otlp_exporter_on_tick, self, NULL);
  g_source_attach (self->timer, reeve_http_thread_get_context (self->thread));
  return G_SOURCE_REMOVE;
}

static void
reeve_otlp_exporter_init_signal (ReeveOtlpExporter *self, ReeveOtlpSignal *signal,
                                 const char *endpoint, const char *what)
{
  gsize length = strlen (endpoint);

  while (length > 0 && endpoint[length - 1] == '/')
    length--;
  signal->exporter = self;
  signal->what = what;
  signal->url = g_strdup_printf ("%.*s/v1/%s", (int) length, endpoint, what);
  signal->answer = g_byte_array_new ();
}

/**
 * reeve_otlp_exporter_new:
 * @setup: what is sent where
 * @trust: certificates to trust
 *
 * Returns: (transfer full): an exporter that runs
 */
ReeveOtlpExporter *
reeve_otlp_exporter_new (const ReeveOtlpExporterSetup *setup, ReeveHttpTrust *trust)
{
  ReeveOtlpExporter *self = g_new0 (ReeveOtlpExporter, 1);
  static const char *const none[] = { NULL };

  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->thread = reeve_http_thread_new ("reeve-otlp", trust);
  self->headers = g_strdupv ((char **) (setup->headers != NULL ? setup->headers : none));
  self->origin = reeve_http_origin_spell (setup->endpoint);
  self->resource = reeve_otlp_encode_resource (setup->resource);
  self->timeout_ms = setup->timeout_ms;
  self->interval = MAX (setup->interval_seconds, 1);
  self->offset = g_get_real_time () - g_get_monotonic_time ();
  self->registries = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_metrics_unref);
  for (guint i = 0; i < setup->n_registries; i++)
    if (setup->registries[i] != NULL)
      g_ptr_array_add (self->registries, reeve_metrics_ref (setup->registries[i]));
  reeve_otlp_exporter_init_signal (self, &self->traces, setup->endpoint, "traces");
  reeve_otlp_exporter_init_signal (self, &self->metrics, setup->endpoint, "metrics");
  if (setup->tracer != NULL)
    {
      self->tracer = reeve_tracer_ref (setup->tracer);
      reeve_tracer_set_ready (self->tracer, REEVE_OTLP_EXPORTER_BATCH, reeve_otlp_exporter_on_ready,
                              self);
    }
  reeve_http_thread_submit (self->thread, reeve_otlp_exporter_start, self, NULL, NULL);
  return self;
}

/**
 * reeve_otlp_exporter_get_status:
 * @self: an exporter
 * @status: (out): how it is with the collector now
 */
void
reeve_otlp_exporter_get_status (ReeveOtlpExporter *self, ReeveOtlpExporterStatus *status)
{
  status->origin = g_strdup (self->origin);
  status->traces = self->tracer != NULL;
  status->metrics = self->registries->len > 0;
  g_mutex_lock (&self->lock);
  status->failing = self->failing;
  status->lost = self->known_lost;
  g_mutex_unlock (&self->lock);
}

void
reeve_otlp_exporter_status_clear (ReeveOtlpExporterStatus *status)
{
  g_clear_pointer (&status->origin, g_free);
}

/* ---- stopping ---- */

static void
reeve_otlp_exporter_stop_pause (ReeveOtlpSignal *signal)
{
  if (signal->pause != NULL)
    g_source_destroy (signal->pause);
  g_clear_pointer (&signal->pause, g_source_unref);
}

/* One that does not take anything is not asked once more. */
static gboolean
reeve_otlp_exporter_flush (gpointer user_data)
{
  ReeveOtlpExporter *self = user_data;

  self->stopping = TRUE;
  reeve_otlp_exporter_stop_pause (&self->traces);
  reeve_otlp_exporter_stop_pause (&self->metrics);
  if (self->timer != NULL)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
  if (self->client != NULL && !self->traces.failed)
    reeve_otlp_exporter_pump (&self->traces);
  if (self->client != NULL && !self->metrics.failed)
    reeve_otlp_exporter_pump (&self->metrics);
  if (self->traces.failed && !self->traces.busy)
    {
      self->lost += self->traces.items;
      reeve_otlp_exporter_drop (&self->traces);
    }
  reeve_otlp_exporter_check_done (self);
  return G_SOURCE_REMOVE;
}

/* What nobody took. */
static void
reeve_otlp_exporter_give_up (ReeveOtlpExporter *self)
{
  g_autoptr (GPtrArray) spans
      = self->tracer != NULL ? reeve_tracer_drain (self->tracer, G_MAXUINT) : NULL;

  if (spans != NULL)
    self->lost += spans->len;
}

/**
 * reeve_otlp_exporter_stop:
 * @self: an exporter
 * @timeout_us: how long it may take
 *
 * Sends what waits, unless the collector is known not to answer, then ends. Blocks. Twice is as
 * once.
 */
void
reeve_otlp_exporter_stop (ReeveOtlpExporter *self, gint64 timeout_us)
{
  gint64 until = g_get_monotonic_time () + timeout_us;

  if (!reeve_http_thread_submit (self->thread, reeve_otlp_exporter_flush, self, NULL, NULL))
    return;
  g_mutex_lock (&self->lock);
  while (!self->done && g_cond_wait_until (&self->changed, &self->lock, until))
    ;
  g_mutex_unlock (&self->lock);
  reeve_http_thread_shutdown (self->thread);
  reeve_otlp_exporter_give_up (self);
  reeve_otlp_exporter_tell_lost (self, TRUE);
}

static void
reeve_otlp_exporter_clear_signal (ReeveOtlpSignal *signal)
{
  reeve_otlp_exporter_stop_pause (signal);
  g_clear_pointer (&signal->body, g_bytes_unref);
  g_byte_array_unref (signal->answer);
  g_free (signal->retry_after);
  g_free (signal->url);
}

/**
 * reeve_otlp_exporter_free:
 * @self: (transfer full): an exporter; no span ends any more
 */
void
reeve_otlp_exporter_free (ReeveOtlpExporter *self)
{
  reeve_otlp_exporter_stop (self, 0);
  reeve_otlp_exporter_clear_signal (&self->traces);
  reeve_otlp_exporter_clear_signal (&self->metrics);
  if (self->timer != NULL)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
  g_clear_object (&self->client);
  g_clear_pointer (&self->thread, reeve_http_thread_free);
  if (self->tracer != NULL)
    reeve_tracer_set_ready (self->tracer, 0, NULL, NULL);
  g_clear_pointer (&self->tracer, reeve_tracer_unref);
  g_ptr_array_unref (self->registries);
  g_strfreev (self->headers);
  g_free (self->origin);
  g_free (self->resource);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}
