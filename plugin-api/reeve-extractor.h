/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extractors: document bytes to text. */
#pragma once

#include "reeve-plugin.h"

G_BEGIN_DECLS

#define REEVE_TYPE_EXTRACTOR (reeve_extractor_get_type ())
#define REEVE_TYPE_EXTRACT   (reeve_extract_get_type ())

/**
 * ReeveExtract:
 *
 * What was read from a document: a title if it has one, and its text by pages (one page without
 * number where the format has none).
 *
 * Since: 1.0
 */
typedef struct _ReeveExtract ReeveExtract;

REEVE_AVAILABLE_IN_1_0
GType reeve_extract_get_type (void) G_GNUC_CONST;
REEVE_AVAILABLE_IN_1_0
ReeveExtract *reeve_extract_new (const char *title);
REEVE_AVAILABLE_IN_1_0
ReeveExtract *reeve_extract_ref (ReeveExtract *self);
REEVE_AVAILABLE_IN_1_0
void reeve_extract_unref (ReeveExtract *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_extract_get_title (ReeveExtract *self);
/* number: from 1, or 0 where the format has no pages; text: UTF-8 */
REEVE_AVAILABLE_IN_1_0
void reeve_extract_add_page (ReeveExtract *self, guint number, const char *text);
REEVE_AVAILABLE_IN_1_0
guint reeve_extract_get_n_pages (ReeveExtract *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_extract_get_page (ReeveExtract *self, guint index, guint *number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveExtract, reeve_extract_unref)

REEVE_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (ReeveExtractor, reeve_extractor, REEVE, EXTRACTOR, GObject)

/**
 * ReeveExtractorInterface:
 * @parent_iface: the parent
 * @media_types: media types it reads, %NULL-terminated
 * @extract: reads a document; @file_name is a hint and may be %NULL
 *
 * Gets no capability at all: a pure function of the bytes.
 *
 * Since: 1.0
 */
struct _ReeveExtractorInterface
{
  GTypeInterface parent_iface;

  const char *const *(*media_types) (ReeveExtractor *self);
  ReeveExtract *(*extract) (ReeveExtractor *self, GBytes *bytes, const char *media_type,
                            const char *file_name, ReeveContext *context, GError **error);
  /*< private >*/
  gpointer reserved[4];
};

REEVE_AVAILABLE_IN_1_0
const char *const *reeve_extractor_media_types (ReeveExtractor *self);
REEVE_AVAILABLE_IN_1_0
ReeveExtract *reeve_extractor_extract (ReeveExtractor *self, GBytes *bytes, const char *media_type,
                                       const char *file_name, ReeveContext *context,
                                       GError **error);

G_END_DECLS
