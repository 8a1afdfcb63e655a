/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveExtractor over the wire: the document goes as memory, what was read comes as a stream. */
#include "wire-instance.h"

#include <string.h>
#include <unistd.h>

#include "wire/wire-method.h"

#define REEVE_WIRE_EXTRACTOR_INTERFACE WIRE_METHOD_PREFIX "Extractor"
#define REEVE_WIRE_EXTRACTOR_TYPES     "reeve-wire-media-types"
#define REEVE_WIRE_EXTRACTOR_MAX_PAGE  (256 * 1024 * 1024)
#define REEVE_WIRE_EXTRACTOR_MAX_TOTAL (512 * 1024 * 1024)
#define REEVE_WIRE_EXTRACTOR_MAX_TYPES 256
#define REEVE_WIRE_EXTRACTOR_MAX_PAGES 100000

gboolean
reeve_wire_extractor_prepare (ReeveWireInstance *instance, ReeveContext *context, GError **error)
{
  const ReeveWireCall call
      = { .interface = REEVE_WIRE_EXTRACTOR_INTERFACE, .member = "MediaTypes", .context = context };
  g_autoptr (GVariant) answer = reeve_wire_instance_call (instance, &call, error);
  char **types = NULL;

  if (answer == NULL)
    return FALSE;
  g_variant_get (answer, "(^as)", &types);
  g_object_set_data_full (G_OBJECT (instance), REEVE_WIRE_EXTRACTOR_TYPES, types,
                          (GDestroyNotify) g_strfreev);
  if (g_strv_length (types) <= REEVE_WIRE_EXTRACTOR_MAX_TYPES)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "it names too many media types");
  return FALSE;
}

static const char *const *
reeve_wire_extractor_media_types (ReeveExtractor *extractor)
{
  return g_object_get_data (G_OBJECT (extractor), REEVE_WIRE_EXTRACTOR_TYPES);
}

/* The first frame has the title, each other one a page. */
static gboolean
reeve_wire_extractor_take (JsonObject *header, const guint8 *payload, gsize length,
                           gpointer user_data, GError **error)
{
  ReeveExtract **extract = user_data;
  gint64 number = reeve_json_get_int (header, "page", 0);
  g_autofree char *text = NULL;

  if (*extract == NULL)
    {
      *extract = reeve_extract_new (reeve_json_get_string (header, "title", NULL));
      return TRUE;
    }
  if (length > 0 && !g_utf8_validate_len ((const char *) payload, length, NULL))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "a page's text is not UTF-8");
      return FALSE;
    }
  /* a page without text takes memory too */
  if (reeve_extract_get_n_pages (*extract) >= REEVE_WIRE_EXTRACTOR_MAX_PAGES)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "it found more than %d pages",
                   REEVE_WIRE_EXTRACTOR_MAX_PAGES);
      return FALSE;
    }
  text = g_strndup (length > 0 ? (const char *) payload : "", length);
  reeve_extract_add_page (*extract, (guint) CLAMP (number, 0, G_MAXINT), text);
  return TRUE;
}

static ReeveExtract *
reeve_wire_extractor_extract (ReeveExtractor *extractor, GBytes *bytes, const char *media_type,
                              const char *file_name, ReeveContext *context, GError **error)
{
  g_autoptr (ReeveExtract) extract = NULL;
  g_autoptr (GVariant) answer = NULL;
  const ReeveWireStream stream = { .most = REEVE_WIRE_EXTRACTOR_MAX_PAGE,
                                   .total = REEVE_WIRE_EXTRACTOR_MAX_TOTAL,
                                   .func = reeve_wire_extractor_take,
                                   .user_data = &extract };
  ReeveWireCall call = { .interface = REEVE_WIRE_EXTRACTOR_INTERFACE,
                         .member = "Extract",
                         .context = context,
                         .blob = bytes,
                         .stream = &stream };

  call.arguments[0] = g_variant_new_handle (0);
  call.arguments[1] = g_variant_new_string (media_type);
  call.arguments[2] = g_variant_new_string (file_name != NULL ? file_name : "");
  call.arguments[3] = g_variant_new_handle (1);
  answer = reeve_wire_instance_call (REEVE_WIRE_INSTANCE (extractor), &call, error);
  if (answer == NULL)
    return NULL;
  if (extract == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "it says nothing of the document");
  return g_steal_pointer (&extract);
}

void
reeve_wire_extractor_init (gpointer iface, gpointer data)
{
  ReeveExtractorInterface *extractor = iface;

  extractor->media_types = reeve_wire_extractor_media_types;
  extractor->extract = reeve_wire_extractor_extract;
}
