/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveTextHit: one hit of a full-text search. */
#include "reeve-storage.h"

/**
 * reeve_text_hit_new: (skip)
 * @group: group of the text
 * @key: its key
 * @text: it
 * @data: (nullable) (transfer none): what was stored with it
 * @score: greater is better
 *
 * Returns: (transfer full): a hit
 *
 * Since: 1.0
 */
ReeveTextHit *
reeve_text_hit_new (const char *group, const char *key, const char *text, JsonObject *data,
                    double score)
{
  ReeveTextHit *self = g_new0 (ReeveTextHit, 1);

  self->group = g_strdup (group);
  self->key = g_strdup (key);
  self->text = g_strdup (text);
  self->data = data != NULL ? json_object_ref (data) : NULL;
  self->score = score;
  return self;
}

/**
 * reeve_text_hit_free:
 * @self: (transfer full): a hit
 *
 * Frees it.
 *
 * Since: 1.0
 */
void
reeve_text_hit_free (ReeveTextHit *self)
{
  g_free (self->group);
  g_free (self->key);
  g_free (self->text);
  g_clear_pointer (&self->data, json_object_unref);
  g_free (self);
}
