/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads plain text and Markdown: bytes that must be UTF-8 become text with plain line ends. The
 * text is otherwise left as it is, because answers quote it word for word. */
#include "text-extractor.h"

#include "text-decode.h"

#include <string.h>

struct _TextExtractor
{
  ReevePlugin parent_instance;
};

static void text_extractor_iface_init (ReeveExtractorInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TextExtractor, text_extractor, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_EXTRACTOR,
                                                      text_extractor_iface_init))

static const char *const *
text_extractor_media_types (ReeveExtractor *extractor)
{
  static const char *const types[] = { "text/plain", "text/markdown", NULL };

  return types;
}

static ReeveExtract *
text_extractor_extract (ReeveExtractor *extractor, GBytes *bytes, const char *media_type,
                        const char *file_name, ReeveContext *context, GError **error)
{
  gsize length = 0;
  const gchar *data = g_bytes_get_data (bytes, &length);
  g_autofree gchar *text = NULL;
  g_autofree gchar *title = NULL;
  g_autoptr (ReeveExtract) extract = NULL;

  if (!g_strv_contains (text_extractor_media_types (extractor), media_type))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "%s is not read here", media_type);
      return NULL;
    }
  text = text_decode (data, length, error);
  if (text == NULL)
    return NULL;
  title = text_decode_title (text);
  extract = reeve_extract_new (title);
  reeve_extract_add_page (extract, 0, text);
  return g_steal_pointer (&extract);
}

static void
text_extractor_iface_init (ReeveExtractorInterface *iface)
{
  iface->media_types = text_extractor_media_types;
  iface->extract = text_extractor_extract;
}

static void
text_extractor_class_init (TextExtractorClass *klass)
{
}

static void
text_extractor_init (TextExtractor *self)
{
}
