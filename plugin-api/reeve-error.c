/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one error domain of the product, and the stable snake_case name of each code. */
#include "reeve-error.h"

/**
 * reeve_error_quark:
 *
 * Returns: the quark of %REEVE_ERROR
 *
 * Since: 0.1
 */
/* clang-format off */
G_DEFINE_QUARK (reeve-error-quark, reeve_error)
/* clang-format on */

static const char *const reeve_error_names[] = {
  [REEVE_ERROR_FAILED] = "failed",
  [REEVE_ERROR_INVALID_ARGUMENT] = "invalid_argument",
  [REEVE_ERROR_UNAUTHENTICATED] = "unauthenticated",
  [REEVE_ERROR_PERMISSION_DENIED] = "permission_denied",
  [REEVE_ERROR_NOT_FOUND] = "not_found",
  [REEVE_ERROR_ALREADY_EXISTS] = "already_exists",
  [REEVE_ERROR_CONFLICT] = "conflict",
  [REEVE_ERROR_OUT_OF_RANGE] = "out_of_range",
  [REEVE_ERROR_TOO_LARGE] = "too_large",
  [REEVE_ERROR_BUSY] = "busy",
  [REEVE_ERROR_RATE_LIMITED] = "rate_limited",
  [REEVE_ERROR_BUDGET_EXCEEDED] = "budget_exceeded",
  [REEVE_ERROR_TIMEOUT] = "timeout",
  [REEVE_ERROR_CANCELLED] = "cancelled",
  [REEVE_ERROR_UNAVAILABLE] = "unavailable",
  [REEVE_ERROR_UNKNOWN_OUTCOME] = "unknown_outcome",
  [REEVE_ERROR_UPSTREAM] = "upstream",
  [REEVE_ERROR_CORRUPT] = "corrupt",
  [REEVE_ERROR_FORMAT_TOO_NEW] = "format_too_new",
  [REEVE_ERROR_READ_ONLY] = "read_only",
  [REEVE_ERROR_CAPABILITY] = "capability",
  [REEVE_ERROR_UNSUPPORTED] = "unsupported",
  [REEVE_ERROR_CONFIGURATION] = "configuration",
  [REEVE_ERROR_PLUGIN] = "plugin",
  [REEVE_ERROR_METHOD_NOT_ALLOWED] = "method_not_allowed",
  [REEVE_ERROR_UNSUPPORTED_MEDIA] = "unsupported_media",
  [REEVE_ERROR_IDEMPOTENCY_MISMATCH] = "idempotency_mismatch",
  [REEVE_ERROR_CALLER_REVOKED] = "caller_revoked",
};

/**
 * reeve_error_get_name:
 * @code: a code of %REEVE_ERROR
 *
 * The stable name of a code, as it stands in answers, records and logs.
 *
 * Returns: (transfer none): the name; `failed` for a number that is no code
 *
 * Since: 0.1
 */
const char *
reeve_error_get_name (ReeveError code)
{
  if ((guint) code >= G_N_ELEMENTS (reeve_error_names))
    return reeve_error_names[REEVE_ERROR_FAILED];
  return reeve_error_names[code];
}
