/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is lost or damaged means that everything is sent again, under the same ids; one that
 * is behind, that some is. */
#include "sink-position.h"

#include <glib/gstdio.h>
#include <string.h>

#define REEVE_SINK_POSITION_FIRST_US (200 * G_TIME_SPAN_MILLISECOND)
#define REEVE_SINK_POSITION_LAST_US  (60 * G_TIME_SPAN_SECOND)

static char *
reeve_sink_position_path (const char *folder, const char *scope, const char *ending)
{
  g_autofree char *name = g_strconcat (scope, ending, NULL);

  return g_build_filename (folder, name, NULL);
}

/**
 * reeve_sink_position_load:
 * @folder: of the sink
 * @scope: whose log
 *
 * Returns: (transfer full): what was saved last; the beginning of the log when nothing was
 */
ReeveSinkPosition *
reeve_sink_position_load (const char *folder, const char *scope)
{
  ReeveSinkPosition *self = g_new0 (ReeveSinkPosition, 1);
  g_autofree char *path = reeve_sink_position_path (folder, scope, ".position");
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (JsonNode) node = NULL;

  if (!g_file_get_contents (path, &text, &length, NULL))
    return self;
  node = reeve_json_parse_strict (text, length, NULL);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    {
      g_warning ("%s is damaged: the log is sent again from its beginning", path);
      return self;
    }
  self->delivered
      = (guint64) MAX (reeve_json_get_int (json_node_get_object (node), "delivered", 0), 0);
  self->skipped = (guint64) MAX (reeve_json_get_int (json_node_get_object (node), "skipped", 0), 0);
  return self;
}

void
reeve_sink_position_free (ReeveSinkPosition *self)
{
  g_free (self->last_error);
  g_free (self);
}

/**
 * reeve_sink_position_save:
 * @self: a position
 * @folder: of the sink
 * @scope: whose log
 * @error: return location
 *
 * Returns: %FALSE with a file error; the position holds in memory all the same
 */
gboolean
reeve_sink_position_save (const ReeveSinkPosition *self, const char *folder, const char *scope,
                          GError **error)
{
  g_autofree char *path = reeve_sink_position_path (folder, scope, ".position");
  g_autofree char *text = g_strdup_printf ("{\"delivered\":%" G_GUINT64_FORMAT
                                           ",\"skipped\":%" G_GUINT64_FORMAT "}\n",
                                           self->delivered, self->skipped);

  return g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

/**
 * reeve_sink_position_skip:
 * @self: a position
 * @folder: of the sink
 * @scope: whose log
 * @id: of the record that is left out
 * @why: what the other side says
 * @error: return location
 *
 * Writes a record down that the sink refuses, in the file `<scope>.skipped`.
 *
 * Returns: %FALSE with a file error; it is not left out then
 */
gboolean
reeve_sink_position_skip (ReeveSinkPosition *self, const char *folder, const char *scope,
                          const char *id, const char *why, GError **error)
{
  g_autofree char *path = reeve_sink_position_path (folder, scope, ".skipped");
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileOutputStream) stream
      = g_file_append_to (file, G_FILE_CREATE_PRIVATE, NULL, error);
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;

  if (stream == NULL)
    return FALSE;
  json_object_set_string_member (object, "id", id);
  json_object_set_string_member (object, "error", why);
  text = reeve_json_canonical (node);
  line = g_strconcat (text, "\n", NULL);
  if (!g_output_stream_write_all (G_OUTPUT_STREAM (stream), line, strlen (line), NULL, NULL, error)
      || !g_output_stream_close (G_OUTPUT_STREAM (stream), NULL, error))
    return FALSE;
  self->skipped++;
  return TRUE;
}

/**
 * reeve_sink_position_fail:
 * @self: a position
 * @error: why a try did not succeed
 *
 * Puts the next try off: twice as long each time, up to a minute, and between half and all of that
 * by chance, so that many hosts do not come at once.
 */
void
reeve_sink_position_fail (ReeveSinkPosition *self, const GError *error)
{
  gint64 wait = REEVE_SINK_POSITION_FIRST_US << MIN (self->failures, 16);

  wait = MIN (wait, REEVE_SINK_POSITION_LAST_US);
  self->failures++;
  self->next_try = g_get_monotonic_time () + (gint64) (wait * g_random_double_range (0.5, 1));
  g_free (self->last_error);
  self->last_error = g_strdup (error->message);
}

void
reeve_sink_position_succeed (ReeveSinkPosition *self)
{
  self->failures = 0;
  self->next_try = 0;
}
