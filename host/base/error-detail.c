/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of what failed inside are for the log: they name files and services. */
#include "error-detail.h"

/**
 * reeve_error_detail_get:
 * @error: an error
 *
 * Returns: (transfer none): its text, or a general one when the text may tell about the inside
 */
const char *
reeve_error_detail_get (const GError *error)
{
  ReeveError code = error->domain == REEVE_ERROR ? (ReeveError) error->code : REEVE_ERROR_FAILED;

  switch (code)
    {
    case REEVE_ERROR_READ_ONLY:
      return "the disk is full, read-only or failing: what was asked for was not done";
    case REEVE_ERROR_FAILED:
    case REEVE_ERROR_CORRUPT:
    case REEVE_ERROR_FORMAT_TOO_NEW:
      return "something inside failed; the log has it under the trace id";
    default:
      return error->message;
    }
}

/**
 * reeve_error_detail_get_code:
 * @error: any error
 *
 * Returns: (transfer none): its stable word, such as `budget_exceeded`, as records, the `error` of
 *   a run and doors have it; `failed` of a foreign domain
 */
const char *
reeve_error_detail_get_code (const GError *error)
{
  return reeve_error_get_name (error->domain == REEVE_ERROR ? (ReeveError) error->code
                                                            : REEVE_ERROR_FAILED);
}
