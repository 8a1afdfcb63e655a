/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was read from a document. */
#include "reeve-extractor.h"

typedef struct
{
  guint number;
  char *text;
} ReeveExtractPage;

struct _ReeveExtract
{
  gatomicrefcount refs;
  char *title;
  GArray *pages; /* of ReeveExtractPage */
};

G_DEFINE_BOXED_TYPE (ReeveExtract, reeve_extract, reeve_extract_ref, reeve_extract_unref)

static void
reeve_extract_page_clear (gpointer data)
{
  ReeveExtractPage *page = data;

  g_free (page->text);
}

/**
 * reeve_extract_new:
 * @title: (nullable): title of the document, if it has one; bytes that are not UTF-8 are replaced
 * by U+FFFD
 *
 * Not thread-safe while pages are added; immutable once returned to the host.
 *
 * Returns: (transfer full): an extract without pages
 *
 * Since: 1.0
 */
ReeveExtract *
reeve_extract_new (const char *title)
{
  ReeveExtract *self = g_new0 (ReeveExtract, 1);

  g_atomic_ref_count_init (&self->refs);
  self->title = title != NULL ? g_utf8_make_valid (title, -1) : NULL;
  self->pages = g_array_new (FALSE, FALSE, sizeof (ReeveExtractPage));
  g_array_set_clear_func (self->pages, reeve_extract_page_clear);
  return self;
}

/**
 * reeve_extract_ref:
 * @self: an extract
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveExtract *
reeve_extract_ref (ReeveExtract *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_extract_unref:
 * @self: (transfer full): an extract
 *
 * Since: 1.0
 */
void
reeve_extract_unref (ReeveExtract *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (self->title);
  g_array_unref (self->pages);
  g_free (self);
}

/**
 * reeve_extract_get_title:
 * @self: an extract
 *
 * Returns: (transfer none) (nullable): the title, UTF-8
 *
 * Since: 1.0
 */
const char *
reeve_extract_get_title (ReeveExtract *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->title;
}

/**
 * reeve_extract_add_page:
 * @self: an extract
 * @number: number of the page from 1, or 0 where the format has no pages
 * @text: its text; bytes that are not UTF-8 are replaced by U+FFFD
 *
 * Since: 1.0
 */
void
reeve_extract_add_page (ReeveExtract *self, guint number, const char *text)
{
  ReeveExtractPage page = { 0 };

  g_return_if_fail (self != NULL && text != NULL);
  page.number = number;
  page.text = g_utf8_make_valid (text, -1);
  g_array_append_val (self->pages, page);
}

/**
 * reeve_extract_get_n_pages:
 * @self: an extract
 *
 * Returns: how many pages were added
 *
 * Since: 1.0
 */
guint
reeve_extract_get_n_pages (ReeveExtract *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->pages->len;
}

/**
 * reeve_extract_get_page:
 * @self: an extract
 * @index: position from 0, less than reeve_extract_get_n_pages()
 * @number: (out) (optional): its number; 0 where the format has no pages
 *
 * Returns: (transfer none): text of the page, UTF-8
 *
 * Since: 1.0
 */
const char *
reeve_extract_get_page (ReeveExtract *self, guint index, guint *number)
{
  ReeveExtractPage *page = NULL;

  g_return_val_if_fail (self != NULL && index < self->pages->len, NULL);
  page = &g_array_index (self->pages, ReeveExtractPage, index);
  if (number != NULL)
    *number = page->number;
  return page->text;
}
