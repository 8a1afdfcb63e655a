/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The media type a caller names counts where an extractor reads it; else the ending of the file's
 * name decides, for browsers and curl name Markdown in many ways. */
#include "extraction.h"

#include <string.h>

typedef struct
{
  char *media_type;
  ReevePlugin *plugin;
} ReeveExtractionItem;

struct _ReeveExtraction
{
  GObject parent_instance;

  ReeveRegistry *registry;
  GPtrArray *items; /* ReeveExtractionItem; changed only before documents are read */
};

G_DEFINE_FINAL_TYPE (ReeveExtraction, reeve_extraction, G_TYPE_OBJECT)

static const struct
{
  const char *ending;
  const char *media_type;
} reeve_extraction_endings[] = {
  { ".md", "text/markdown" },
  { ".markdown", "text/markdown" },
  { ".txt", "text/plain" },
  { ".text", "text/plain" },
};

static void
reeve_extraction_item_free (gpointer data)
{
  ReeveExtractionItem *item = data;

  g_free (item->media_type);
  g_free (item);
}

static void
reeve_extraction_finalize (GObject *object)
{
  ReeveExtraction *self = REEVE_EXTRACTION (object);

  g_clear_pointer (&self->items, g_ptr_array_unref);
  g_clear_pointer (&self->registry, reeve_registry_unref);
  G_OBJECT_CLASS (reeve_extraction_parent_class)->finalize (object);
}

static void
reeve_extraction_class_init (ReeveExtractionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_extraction_finalize;
}

static void
reeve_extraction_init (ReeveExtraction *self)
{
  self->items = g_ptr_array_new_with_free_func (reeve_extraction_item_free);
}

/**
 * reeve_extraction_new:
 * @registry: the plugins
 *
 * Returns: (transfer full): without extractors
 */
ReeveExtraction *
reeve_extraction_new (ReeveRegistry *registry)
{
  ReeveExtraction *self = g_object_new (REEVE_TYPE_EXTRACTION, NULL);

  self->registry = reeve_registry_ref (registry);
  return self;
}

static ReevePlugin *
reeve_extraction_find (ReeveExtraction *self, const char *media_type)
{
  for (guint i = 0; i < self->items->len; i++)
    {
      ReeveExtractionItem *item = g_ptr_array_index (self->items, i);

      if (g_ascii_strcasecmp (item->media_type, media_type) == 0)
        return item->plugin;
    }
  return NULL;
}

/**
 * reeve_extraction_add:
 * @self: extraction
 * @plugin_id: a plugin that offers an extractor; also the name of its instance
 * @settings: (nullable): its settings
 * @error: return location
 *
 * Makes an instance and takes up the media types it reads; the first extractor of a type counts.
 *
 * Returns: whether it is there
 */
gboolean
reeve_extraction_add (ReeveExtraction *self, const char *plugin_id, JsonObject *settings,
                      GError **error)
{
  ReevePlugin *plugin = reeve_registry_instantiate (self->registry, plugin_id, plugin_id,
                                                    REEVE_TYPE_EXTRACTOR, settings, error);
  const char *const *types = NULL;

  if (plugin == NULL)
    return FALSE;
  types = reeve_extractor_media_types (REEVE_EXTRACTOR (plugin));
  for (guint i = 0; types != NULL && types[i] != NULL; i++)
    {
      ReeveExtractionItem *item = NULL;

      if (reeve_extraction_find (self, types[i]) != NULL)
        continue;
      item = g_new0 (ReeveExtractionItem, 1);
      item->media_type = g_strdup (types[i]);
      item->plugin = plugin;
      g_ptr_array_add (self->items, item);
    }
  return TRUE;
}

/* Without parameters such as charset. */
static char *
reeve_extraction_essence (const char *media_type)
{
  g_autofree char *essence = g_strndup (media_type, strcspn (media_type, ";"));

  return g_ascii_strdown (g_strstrip (essence), -1);
}

static char *
reeve_extraction_choose (ReeveExtraction *self, const char *media_type, const char *file_name)
{
  g_autofree char *essence = media_type != NULL ? reeve_extraction_essence (media_type) : NULL;
  g_autofree char *name = file_name != NULL ? g_ascii_strdown (file_name, -1) : NULL;
  gboolean vague = essence == NULL || strcmp (essence, "application/octet-stream") == 0
                   || strcmp (essence, "text/plain") == 0
                   || reeve_extraction_find (self, essence) == NULL;

  for (guint i = 0; vague && name != NULL && i < G_N_ELEMENTS (reeve_extraction_endings); i++)
    {
      if (g_str_has_suffix (name, reeve_extraction_endings[i].ending))
        return g_strdup (reeve_extraction_endings[i].media_type);
    }
  return g_steal_pointer (&essence);
}

/**
 * reeve_extraction_read:
 * @self: extraction
 * @bytes: a document
 * @media_type: (nullable): what the caller says it is
 * @file_name: (nullable): its name
 * @type: (out) (transfer full): what it was read as
 * @error: return location: %REEVE_ERROR_UNSUPPORTED_MEDIA, or what the extractor says
 *
 * Returns: (transfer full) (nullable): what stands in it
 */
ReeveExtract *
reeve_extraction_read (ReeveExtraction *self, GBytes *bytes, const char *media_type,
                       const char *file_name, char **type, GError **error)
{
  const ReeveContextInfo info = { .struct_size = sizeof info };
  g_autofree char *chosen = reeve_extraction_choose (self, media_type, file_name);
  ReevePlugin *plugin = chosen != NULL ? reeve_extraction_find (self, chosen) : NULL;
  g_autoptr (ReeveContext) context = NULL;
  ReeveExtract *extract = NULL;

  if (plugin == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED_MEDIA,
                   "documents of type %s cannot be read", chosen != NULL ? chosen : "unknown");
      return NULL;
    }
  context = reeve_registry_new_context (self->registry, plugin, &info, NULL);
  extract = reeve_extractor_extract (REEVE_EXTRACTOR (plugin), bytes, chosen, file_name, context,
                                     error);
  if (extract == NULL)
    {
      g_prefix_error (error, "reading the document: ");
      return NULL;
    }
  *type = g_steal_pointer (&chosen);
  return extract;
}
