/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of the wire: a sink that takes records until one says that it is to be refused, and an
 * extractor that gives a document back as it is, of one type. */
#include <string.h>

#include <reeve-plugin-1.h>

G_DECLARE_FINAL_TYPE (WireSink, wire_sink, WIRE, SINK, ReevePlugin)

struct _WireSink
{
  ReevePlugin parent_instance;
};

static void wire_sink_iface_init (ReeveSinkInterface *iface);
static void wire_sink_extractor_init (ReeveExtractorInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WireSink, wire_sink, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_SINK, wire_sink_iface_init)
                                   G_IMPLEMENT_INTERFACE (REEVE_TYPE_EXTRACTOR,
                                                          wire_sink_extractor_init))

static void
wire_sink_class_init (WireSinkClass *klass)
{
}

static void
wire_sink_init (WireSink *self)
{
}

static guint
wire_sink_deliver (ReeveSink *sink, ReeveSinkBatch *batch, ReeveContext *context, GError **error)
{
  for (guint i = 0; i < reeve_sink_batch_get_length (batch); i++)
    {
      const char *text = reeve_sink_batch_get_text (batch, i);

      if (!g_str_has_prefix (text, "refuse"))
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "%s of %s: %s, %u, %" G_GINT64_FORMAT, reeve_sink_batch_get_id (batch, i),
                   reeve_sink_batch_get_scope (batch), text,
                   reeve_sink_batch_get_severity (batch, i), reeve_sink_batch_get_time (batch, i));
      return i;
    }
  return reeve_sink_batch_get_length (batch);
}

static void
wire_sink_iface_init (ReeveSinkInterface *iface)
{
  iface->deliver = wire_sink_deliver;
}

static const char *const *
wire_sink_media_types (ReeveExtractor *extractor)
{
  static const char *const types[] = { "text/plain", NULL };

  return types;
}

static ReeveExtract *
wire_sink_extract (ReeveExtractor *extractor, GBytes *bytes, const char *media_type,
                   const char *file_name, ReeveContext *context, GError **error)
{
  ReeveExtract *extract = reeve_extract_new (file_name);
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  /* a page without text for each byte */
  for (gsize i = 1; g_strcmp0 (file_name, "pages") == 0 && i < g_bytes_get_size (bytes); i++)
    reeve_extract_add_page (extract, (guint) i, "");
  reeve_extract_add_page (extract, 1, text);
  return extract;
}

static void
wire_sink_extractor_init (ReeveExtractorInterface *iface)
{
  iface->media_types = wire_sink_media_types;
  iface->extract = wire_sink_extract;
}

static const GType *
wire_sink_query_types (void)
{
  static GType types[2] = { G_TYPE_INVALID, G_TYPE_INVALID };

  types[0] = wire_sink_get_type ();
  return types;
}

REEVE_DEFINE_PLUGIN ("wire-sink", "1.0.0", wire_sink_query_types);
