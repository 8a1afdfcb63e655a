/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sink-syslog: records as messages of RFC 5424. It opens no socket: the host sends them, under
 * capability net.stream, to the place that the settings name. */
#include <reeve-plugin-1.h>

#include <string.h>

#define SYSLOG_TYPE_PLUGIN (syslog_plugin_get_type ())
G_DECLARE_FINAL_TYPE (SyslogPlugin, syslog_plugin, SYSLOG, PLUGIN, ReevePlugin)

struct _SyslogPlugin
{
  ReevePlugin parent_instance;
  JsonObject *settings;
};

static void syslog_plugin_sink_init (ReeveSinkInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (SyslogPlugin, syslog_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_SINK, syslog_plugin_sink_init))

static gboolean
syslog_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                     GError **error)
{
  SYSLOG_PLUGIN (plugin)->settings = json_object_ref (settings);
  return TRUE;
}

/* Severity of RFC 5424: informational, warning, error. */
static guint
syslog_plugin_severity (guint severity)
{
  return severity <= 1 ? 6 : severity < 7 ? 4 : 3;
}

/* A value of structured data: three characters are escaped (RFC 5424, 6.3.3). */
static void
syslog_plugin_append_value (GString *out, const char *value)
{
  for (const char *p = value; *p != '\0'; p++)
    {
      if (strchr ("\"\\]", *p) != NULL)
        g_string_append_c (out, '\\');
      g_string_append_c (out, *p);
    }
}

/* What must be printable ASCII without a space, of a bounded length. */
static void
syslog_plugin_append_name (GString *out, const char *value, gsize max)
{
  gsize n = 0;

  for (const char *p = value; *p != '\0' && n < max; p++, n++)
    g_string_append_c (out, *p > ' ' && *p < 0x7f ? *p : '_');
  if (n == 0)
    g_string_append_c (out, '-');
}

/* (transfer full): one message; the record is its text */
static char *
syslog_plugin_write (SyslogPlugin *self, ReeveSinkBatch *batch, guint i)
{
  gint64 time = reeve_sink_batch_get_time (batch, i);
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);
  g_autofree char *second = date != NULL ? g_date_time_format (date, "%Y-%m-%dT%H:%M:%S") : NULL;
  g_autoptr (GString) out = g_string_new (NULL);
  gint64 facility = reeve_json_get_int (self->settings, "facility", 13);

  g_string_append_printf (
      out, "<%d>1 %s.%06dZ ",
      (int) facility * 8 + (int) syslog_plugin_severity (reeve_sink_batch_get_severity (batch, i)),
      second != NULL ? second : "1970-01-01T00:00:00", (int) (time % G_USEC_PER_SEC));
  syslog_plugin_append_name (
      out, reeve_json_get_string (self->settings, "hostname", g_get_host_name ()), 255);
  g_string_append (out, " reeve - audit [reeve@32473 id=\"");
  syslog_plugin_append_value (out, reeve_sink_batch_get_id (batch, i));
  g_string_append (out, "\" scope=\"");
  syslog_plugin_append_value (out, reeve_sink_batch_get_scope (batch));
  g_string_append (out, "\"] ");
  g_string_append (out, reeve_sink_batch_get_text (batch, i));
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static guint
syslog_plugin_deliver (ReeveSink *sink, ReeveSinkBatch *batch, ReeveContext *context,
                       GError **error)
{
  SyslogPlugin *self = SYSLOG_PLUGIN (sink);
  guint length = reeve_sink_batch_get_length (batch);
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (JsonNode) answer = NULL;
  JsonArray *frames = json_array_new ();

  for (guint i = 0; i < length; i++)
    {
      g_autofree char *message = syslog_plugin_write (self, batch, i);

      json_array_add_string_element (frames, message);
    }
  json_object_set_array_member (params, "frames", frames);
  node = json_node_init_object (json_node_alloc (), params);
  if (length > 0)
    answer = reeve_context_call (context, "net.stream", node, error);
  return answer != NULL ? length : 0;
}

static void
syslog_plugin_sink_init (ReeveSinkInterface *iface)
{
  iface->deliver = syslog_plugin_deliver;
}

static void
syslog_plugin_finalize (GObject *object)
{
  g_clear_pointer (&SYSLOG_PLUGIN (object)->settings, json_object_unref);
  G_OBJECT_CLASS (syslog_plugin_parent_class)->finalize (object);
}

static void
syslog_plugin_class_init (SyslogPluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = syslog_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = syslog_plugin_setup;
}

static void
syslog_plugin_init (SyslogPlugin *self)
{
}

static const GType *
syslog_plugin_query_types (void)
{
  static GType types[2];

  types[0] = SYSLOG_TYPE_PLUGIN;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("sink-syslog", "0.1.0", syslog_plugin_query_types);
