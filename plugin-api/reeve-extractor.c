/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface of extractors. */
#include "reeve-extractor.h"

#include "reeve-outcome.h"

/**
 * ReeveExtractor:
 *
 * Reads text out of documents. A pure function of the bytes; may be called from several threads at
 * once.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (ReeveExtractor, reeve_extractor, G_TYPE_OBJECT)

static void
reeve_extractor_default_init (ReeveExtractorInterface *iface)
{
}

/**
 * reeve_extractor_media_types:
 * @self: an extractor
 *
 * Returns: (transfer none) (array zero-terminated=1): media types it reads, in lower case and
 * without parameters
 *
 * Since: 1.0
 */
const char *const *
reeve_extractor_media_types (ReeveExtractor *self)
{
  static const char *const none[] = { NULL };
  ReeveExtractorInterface *iface = NULL;
  const char *const *types = NULL;

  g_return_val_if_fail (REEVE_IS_EXTRACTOR (self), none);

  iface = REEVE_EXTRACTOR_GET_IFACE (self);
  types = iface->media_types != NULL ? iface->media_types (self) : NULL;
  return types != NULL ? types : none;
}

/**
 * reeve_extractor_extract:
 * @self: an extractor
 * @bytes: the document
 * @media_type: one of those it reads
 * @file_name: (nullable): a hint
 * @context: context of the call; it grants no capability
 * @error: return location
 *
 * Returns: (transfer full): what was read; %NULL with %REEVE_ERROR_INVALID_ARGUMENT when the bytes
 * are no such document, %REEVE_ERROR_TOO_LARGE when they unfold to too much,
 * %REEVE_ERROR_UNSUPPORTED for another media type
 *
 * Since: 1.0
 */
ReeveExtract *
reeve_extractor_extract (ReeveExtractor *self, GBytes *bytes, const char *media_type,
                         const char *file_name, ReeveContext *context, GError **error)
{
  g_autoptr (ReeveExtract) extract = NULL;
  GError *problem = NULL;
  ReeveExtractorInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_EXTRACTOR (self) && REEVE_IS_CONTEXT (context), NULL);
  g_return_val_if_fail (bytes != NULL && media_type != NULL, NULL);

  iface = REEVE_EXTRACTOR_GET_IFACE (self);
  if (iface->extract == NULL)
    {
      reeve_outcome_unsupported (self, "extract", error);
      return NULL;
    }
  extract = iface->extract (self, bytes, media_type, file_name, context, &problem);
  if (!reeve_outcome_settle (extract != NULL, problem, self, "extract", error))
    return NULL;
  return g_steal_pointer (&extract);
}
