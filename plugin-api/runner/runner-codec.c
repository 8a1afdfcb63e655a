/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A decoder lives from the response's head to its last bytes, an error, or until nobody wants it
 * any more. Each is used by one worker at a time. */
#include "runner-codec.h"

#include <string.h>
#include <unistd.h>

#include "wire/wire-blob.h"
#include "wire/wire-http.h"
#include "wire/wire-llm.h"
#include "wire/wire-method.h"
#include "wire/wire-stream.h"

#define RUNNER_CODEC_DECODERS "reeve-runner-decoders"

typedef struct
{
  ReeveLlmDecoder *decoder;
  gboolean busy;
  gboolean forgotten; /* while it was busy */
} RunnerCodecEntry;

typedef struct
{
  GMutex lock;
  GHashTable *entries; /* number -> RunnerCodecEntry */
  guint64 last;
} RunnerCodec;

/* Where pieces of an answer go. */
typedef struct
{
  GByteArray *out;
  int fd;
} RunnerCodecSink;

static void
runner_codec_entry_free (gpointer data)
{
  RunnerCodecEntry *entry = data;

  g_object_unref (entry->decoder);
  g_free (entry);
}

static void
runner_codec_free (gpointer data)
{
  RunnerCodec *self = data;

  g_hash_table_unref (self->entries);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
runner_codec_prepare (ReevePlugin *instance)
{
  RunnerCodec *self = g_new0 (RunnerCodec, 1);

  g_mutex_init (&self->lock);
  self->entries
      = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, runner_codec_entry_free);
  g_object_set_data_full (G_OBJECT (instance), RUNNER_CODEC_DECODERS, self, runner_codec_free);
}

/* ---- requests ---- */

/* (transfer full) (nullable) */
static ReeveLlmRequest *
runner_codec_read_request (const RunnerServeCall *call, GError **error)
{
  int fd = wire_method_take_fd (call->message, 2);
  g_autoptr (GBytes) text = NULL;

  if (fd < 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "there is no request");
      return NULL;
    }
  text = wire_blob_map (fd, error);
  return text != NULL ? wire_llm_request_from_text (g_bytes_get_data (text, NULL),
                                                    g_bytes_get_size (text), error)
                      : NULL;
}

static GVariant *
runner_codec_encode (const RunnerServeCall *call, GError **error)
{
  g_autoptr (ReeveLlmRequest) request = runner_codec_read_request (call, error);
  g_autoptr (ReeveHttpRequest) http
      = request != NULL ? reeve_llm_codec_encode (REEVE_LLM_CODEC (call->instance), request, error)
                        : NULL;
  GBytes *body = http != NULL ? reeve_http_request_get_body (http) : NULL;
  int result = http != NULL ? wire_method_take_fd (call->message, 3) : -1;
  gboolean good = FALSE;

  if (http == NULL)
    return NULL;
  good = wire_stream_write (result, wire_http_request_to_object (http),
                            body != NULL ? g_bytes_get_data (body, NULL) : NULL,
                            body != NULL ? g_bytes_get_size (body) : 0, error);
  if (result >= 0)
    close (result);
  return good ? g_variant_new ("()") : NULL;
}

/* ---- responses ---- */

/* (transfer full): the head of a response */
static ReeveHttpResponse *
runner_codec_read_head (GVariant *body)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (body, 4);
  g_autofree const char **headers = g_variant_get_bytestring_array (list, NULL);
  ReeveHttpResponse *head = NULL;
  guint status = 0;

  g_variant_get_child (body, 3, "u", &status);
  head = reeve_http_response_new (status);
  for (guint i = 0; headers[i] != NULL && headers[i + 1] != NULL; i += 2)
    reeve_http_response_add_header (head, headers[i], headers[i + 1]);
  return head;
}

static GVariant *
runner_codec_begin (RunnerCodec *self, const RunnerServeCall *call, GError **error)
{
  g_autoptr (ReeveLlmRequest) request = runner_codec_read_request (call, error);
  g_autoptr (ReeveHttpResponse) head = runner_codec_read_head (call->body);
  g_autoptr (ReeveLlmDecoder) decoder = NULL;
  RunnerCodecEntry *entry = NULL;
  guint64 number = 0;

  if (request == NULL)
    return NULL;
  decoder = reeve_llm_codec_decoder (REEVE_LLM_CODEC (call->instance), request);
  if (decoder == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "it makes no decoder");
      return NULL;
    }
  if (!reeve_llm_decoder_begin (decoder, head, error))
    return NULL;
  entry = g_new0 (RunnerCodecEntry, 1);
  entry->decoder = g_steal_pointer (&decoder);
  g_mutex_lock (&self->lock);
  number = ++self->last;
  g_hash_table_insert (self->entries, g_memdup2 (&number, sizeof number), entry);
  g_mutex_unlock (&self->lock);
  return g_variant_new ("(t)", number);
}

/* (nullable): this worker's until runner_codec_let_go() */
static RunnerCodecEntry *
runner_codec_hold (RunnerCodec *self, guint64 number, GError **error)
{
  RunnerCodecEntry *entry = NULL;

  g_mutex_lock (&self->lock);
  entry = g_hash_table_lookup (self->entries, &number);
  if (entry != NULL && entry->busy)
    entry = NULL;
  if (entry != NULL)
    entry->busy = TRUE;
  g_mutex_unlock (&self->lock);
  if (entry == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such decoder");
  return entry;
}

/* @over: it is of no more use */
static void
runner_codec_let_go (RunnerCodec *self, guint64 number, gboolean over)
{
  g_autofree guint64 *key = NULL;
  RunnerCodecEntry *entry = NULL;

  g_mutex_lock (&self->lock);
  entry = g_hash_table_lookup (self->entries, &number);
  entry->busy = FALSE;
  over = over || entry->forgotten;
  if (over)
    g_hash_table_steal_extended (self->entries, &number, (gpointer *) &key, (gpointer *) &entry);
  g_mutex_unlock (&self->lock);
  if (over)
    runner_codec_entry_free (entry);
}

static gboolean
runner_codec_on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  RunnerCodecSink *sink = user_data;

  return wire_llm_append_delta (sink->out, sink->fd, delta, error);
}

static gboolean
runner_codec_decode (const RunnerServeCall *call, ReeveLlmDecoder *decoder, gboolean last,
                     GError **error)
{
  g_autoptr (GVariant) bytes = g_variant_get_child_value (call->body, 3);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  RunnerCodecSink sink = { out, wire_method_take_fd (call->message, 5) };
  gsize length = 0;
  const guint8 *data = g_variant_get_fixed_array (bytes, &length, 1);
  g_autoptr (GError) unsent = NULL;
  gboolean good
      = length == 0
        || reeve_llm_decoder_feed (decoder, data, length, runner_codec_on_delta, &sink, error);

  if (good && last)
    good = reeve_llm_decoder_finish (decoder, runner_codec_on_delta, &sink, error);
  /* what came before an error counts */
  if (!wire_stream_flush (out, sink.fd, &unsent) && good)
    {
      g_propagate_error (error, g_steal_pointer (&unsent));
      good = FALSE;
    }
  if (sink.fd >= 0)
    close (sink.fd);
  return good;
}

static GVariant *
runner_codec_feed (RunnerCodec *self, const RunnerServeCall *call, GError **error)
{
  RunnerCodecEntry *entry = NULL;
  guint64 number = 0;
  gboolean last = FALSE;
  gboolean good = FALSE;

  g_variant_get_child (call->body, 2, "t", &number);
  g_variant_get_child (call->body, 4, "b", &last);
  entry = runner_codec_hold (self, number, error);
  if (entry == NULL)
    return NULL;
  good = runner_codec_decode (call, entry->decoder, last, error);
  runner_codec_let_go (self, number, last || !good);
  return good ? g_variant_new ("()") : NULL;
}

static GVariant *
runner_codec_forget (RunnerCodec *self, const RunnerServeCall *call)
{
  g_autofree guint64 *key = NULL;
  RunnerCodecEntry *entry = NULL;
  guint64 number = 0;

  g_variant_get_child (call->body, 2, "t", &number);
  g_mutex_lock (&self->lock);
  entry = g_hash_table_lookup (self->entries, &number);
  if (entry != NULL && entry->busy)
    {
      entry->forgotten = TRUE;
      entry = NULL;
    }
  else if (entry != NULL)
    g_hash_table_steal_extended (self->entries, &number, (gpointer *) &key, (gpointer *) &entry);
  g_mutex_unlock (&self->lock);
  if (entry != NULL)
    runner_codec_entry_free (entry);
  return g_variant_new ("()");
}

GVariant *
runner_codec_perform (const RunnerServeCall *call, GError **error)
{
  RunnerCodec *self = g_object_get_data (G_OBJECT (call->instance), RUNNER_CODEC_DECODERS);

  if (strcmp (call->member, "Encode") == 0)
    return runner_codec_encode (call, error);
  if (strcmp (call->member, "Begin") == 0)
    return runner_codec_begin (self, call, error);
  if (strcmp (call->member, "Feed") == 0)
    return runner_codec_feed (self, call, error);
  return runner_codec_forget (self, call);
}
