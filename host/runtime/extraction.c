/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The media type a caller names counts where an extractor reads it; else the ending of the file's
 * name decides, for browsers and curl name Markdown in many ways. */
#include "extraction.h"

#include <string.h>

typedef struct
{
  char *media_type;
  char *plugin_id;
  ReevePlugin *plugin;
} ReeveExtractionItem;

struct _ReeveExtraction
{
  GObject parent_instance;

  ReeveRegistry *registry;
  GPtrArray *items; /* atomic: ReeveExtractionItem; never changed, another takes its place */
  GMutex lock;      /* of whoever puts it there, and the two below */
  GPtrArray *past;  /* GPtrArray: those that were there; somebody may read them still */
  GPtrArray *owned; /* ReeveExtractionItem */
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
  g_free (item->plugin_id);
  g_free (item);
}

static void
reeve_extraction_finalize (GObject *object)
{
  ReeveExtraction *self = REEVE_EXTRACTION (object);

  g_clear_pointer (&self->items, g_ptr_array_unref);
  g_clear_pointer (&self->past, g_ptr_array_unref);
  g_clear_pointer (&self->owned, g_ptr_array_unref);
  g_mutex_clear (&self->lock);
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
  self->items = g_ptr_array_new ();
  self->past = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  self->owned = g_ptr_array_new_with_free_func (reeve_extraction_item_free);
  g_mutex_init (&self->lock);
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

static ReeveExtractionItem *
reeve_extraction_find_in (GPtrArray *items, const char *media_type)
{
  for (guint i = 0; i < items->len; i++)
    {
      ReeveExtractionItem *item = g_ptr_array_index (items, i);

      if (g_ascii_strcasecmp (item->media_type, media_type) == 0)
        return item;
    }
  return NULL;
}

static ReeveExtractionItem *
reeve_extraction_find (ReeveExtraction *self, const char *media_type)
{
  return reeve_extraction_find_in (g_atomic_pointer_get (&self->items), media_type);
}

/* Under the lock. */
static void
reeve_extraction_publish (ReeveExtraction *self, const char *plugin_id, ReevePlugin *plugin,
                          const char *const *types)
{
  g_autoptr (GPtrArray) items = g_ptr_array_copy (self->items, NULL, NULL);

  for (guint i = 0; types != NULL && types[i] != NULL; i++)
    {
      ReeveExtractionItem *item = NULL;

      if (reeve_extraction_find_in (items, types[i]) != NULL)
        continue;
      item = g_new0 (ReeveExtractionItem, 1);
      item->media_type = g_strdup (types[i]);
      item->plugin_id = g_strdup (plugin_id);
      item->plugin = plugin;
      g_ptr_array_add (self->owned, item);
      g_ptr_array_add (items, item);
    }
  g_ptr_array_add (self->past, self->items);
  g_atomic_pointer_set (&self->items, g_steal_pointer (&items));
}

/**
 * reeve_extraction_add:
 * @self: extraction
 * @plugin_id: a plugin that offers an extractor; also the name of its instance
 * @settings: (nullable): its settings
 * @error: return location
 *
 * Makes an instance and takes up the media types it reads; the first extractor of a type counts.
 * Any thread; blocks.
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
  g_mutex_lock (&self->lock);
  reeve_extraction_publish (self, plugin_id, plugin, types);
  g_mutex_unlock (&self->lock);
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

/* (transfer none) (nullable) who reads it, unless that one is disabled: then that is told, and not
 * that nobody does */
static ReevePlugin *
reeve_extraction_select (ReeveExtraction *self, const char *media_type, GError **error)
{
  ReeveExtractionItem *item = media_type != NULL ? reeve_extraction_find (self, media_type) : NULL;
  g_autoptr (GError) off = NULL;
  gboolean good
      = item != NULL
            ? reeve_registry_check (self->registry, item->plugin_id, &off)
            : media_type == NULL || reeve_registry_check_offer (self->registry, media_type, &off);

  if (good && item != NULL)
    return item->plugin;
  g_set_error (
      error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED_MEDIA, "documents of type %s cannot be read%s%s",
      media_type != NULL ? media_type : "unknown", good ? "" : ": ", good ? "" : off->message);
  return NULL;
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
  ReevePlugin *plugin = reeve_extraction_select (self, chosen, error);
  g_autoptr (ReeveContext) context = NULL;
  ReeveExtract *extract = NULL;

  if (plugin == NULL)
    return NULL;
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
