/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The codec of the faulty plugin: lines `T text` and at last `E reason`. */
#include "faulty.h"

#include <string.h>

struct _FaultyDecoder
{
  GObject parent_instance;
  FaultyPlugin *plugin;
  GString *line;
  guint status;
  gboolean ended;
};

static gboolean
faulty_decoder_begin (ReeveLlmDecoder *decoder, ReeveHttpResponse *head, GError **error)
{
  FaultyDecoder *self = FAULTY_DECODER (decoder);

  self->status = reeve_http_response_get_status (head);
  if (faulty_plugin_has (self->plugin, "codec-status") && self->status != 200)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED, "whatever");
      return FALSE;
    }
  if (self->status == 401 || self->status == 403)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "the key was refused");
  else if (self->status == 429)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED, "too much");
  else if (self->status == 400)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "it was refused");
  else if (self->status != 200)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "it failed");
  return self->status == 200;
}

static gboolean
faulty_decoder_emit (FaultyDecoder *self, ReeveLlmDeltaKind kind, ReeveLlmDeltaFunc func,
                     gpointer user_data, GError **error)
{
  ReeveLlmDelta delta = { .struct_size = sizeof delta,
                          .kind = kind,
                          .text = self->line->str + 2,
                          .text_length = self->line->len - 2 };
  gboolean more = func (&delta, user_data, error);

  if (!more && faulty_plugin_has (self->plugin, "codec-deaf"))
    {
      g_clear_error (error);
      return TRUE;
    }
  return more;
}

static gboolean
faulty_decoder_take_line (FaultyDecoder *self, ReeveLlmDeltaFunc func, gpointer user_data,
                          GError **error)
{
  gboolean good = TRUE;

  if (self->line->len == 0)
    return TRUE;
  if (g_str_has_prefix (self->line->str, "T ") && g_utf8_validate (self->line->str, -1, NULL))
    good = faulty_decoder_emit (self, REEVE_LLM_DELTA_TEXT, func, user_data, error);
  else if (g_str_has_prefix (self->line->str, "E "))
    {
      self->ended = TRUE;
      good = faulty_decoder_emit (self, REEVE_LLM_DELTA_FINISH, func, user_data, error);
    }
  else if (!faulty_plugin_has (self->plugin, "codec-trusting"))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "a line that is none");
      return FALSE;
    }
  g_string_truncate (self->line, 0);
  return good;
}

static gboolean
faulty_decoder_feed (ReeveLlmDecoder *decoder, const guint8 *data, gsize length,
                     ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  FaultyDecoder *self = FAULTY_DECODER (decoder);

  for (gsize i = 0; i < length; i++)
    {
      if (data[i] != '\n')
        {
          g_string_append_c (self->line, (char) data[i]);
          if (self->line->len > 4096)
            {
              g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "a line too long");
              return FALSE;
            }
          continue;
        }
      if (!faulty_decoder_take_line (self, func, user_data, error))
        return FALSE;
    }
  /* the classical one: a piece is taken for a line */
  if (faulty_plugin_has (self->plugin, "codec-cut") && self->line->len > 2)
    return faulty_decoder_take_line (self, func, user_data, error);
  return TRUE;
}

static gboolean
faulty_decoder_finish (ReeveLlmDecoder *decoder, ReeveLlmDeltaFunc func, gpointer user_data,
                       GError **error)
{
  FaultyDecoder *self = FAULTY_DECODER (decoder);

  if (self->ended || faulty_plugin_has (self->plugin, "codec-trusting"))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the answer was torn off");
  return FALSE;
}

static void
faulty_decoder_iface_init (ReeveLlmDecoderInterface *iface)
{
  iface->begin = faulty_decoder_begin;
  iface->feed = faulty_decoder_feed;
  iface->finish = faulty_decoder_finish;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (FaultyDecoder, faulty_decoder, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_DECODER,
                                                      faulty_decoder_iface_init))

static void
faulty_decoder_finalize (GObject *object)
{
  FaultyDecoder *self = FAULTY_DECODER (object);

  g_clear_object (&self->plugin);
  g_string_free (self->line, TRUE);
  G_OBJECT_CLASS (faulty_decoder_parent_class)->finalize (object);
}

static void
faulty_decoder_class_init (FaultyDecoderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = faulty_decoder_finalize;
}

static void
faulty_decoder_init (FaultyDecoder *self)
{
  self->line = g_string_new (NULL);
}

FaultyDecoder *
faulty_decoder_new (FaultyPlugin *plugin)
{
  FaultyDecoder *self = g_object_new (FAULTY_TYPE_DECODER, NULL);

  self->plugin = g_object_ref (plugin);
  return self;
}
