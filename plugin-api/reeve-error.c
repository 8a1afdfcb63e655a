/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one error domain of the product, and the stable snake_case name of each code. An error may
 * say which member of a request it is about: that rises with it, while its text grows. */
#include "reeve-error.h"

typedef struct
{
  char *member; /* nullable: a JSON pointer */
  guint wait;   /* seconds; 0: nobody has said */
} ReeveErrorPrivate;

/* None of these is ever NULL; what GLib's macro looks them up with says so of another domain only.
 */
static void
reeve_error_private_init (ReeveErrorPrivate *self)
{
  if (self != NULL)
    *self = (ReeveErrorPrivate){ 0 };
}

static void
reeve_error_private_copy (const ReeveErrorPrivate *from, ReeveErrorPrivate *to)
{
  if (from == NULL || to == NULL)
    return;
  to->member = g_strdup (from->member);
  to->wait = from->wait;
}

static void
reeve_error_private_clear (ReeveErrorPrivate *self)
{
  if (self != NULL)
    g_free (self->member);
}

/**
 * reeve_error_quark:
 *
 * Returns: the quark of %REEVE_ERROR
 *
 * Since: 1.0
 */
/* clang-format off */
G_DEFINE_EXTENDED_ERROR (ReeveError, reeve_error)
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
  [REEVE_ERROR_NETWORK_DENIED] = "network_denied",
  [REEVE_ERROR_COUNTRY_DENIED] = "country_denied",
  [REEVE_ERROR_CAPABILITY_REVOKED] = "capability_revoked",
};

/**
 * reeve_error_get_name:
 * @code: a code of %REEVE_ERROR
 *
 * The stable name of a code, as it stands in answers, records and logs.
 *
 * Returns: (transfer none): the name; `failed` for a number that is no code
 *
 * Since: 1.0
 */
const char *
reeve_error_get_name (ReeveError code)
{
  if ((guint) code >= G_N_ELEMENTS (reeve_error_names))
    return reeve_error_names[REEVE_ERROR_FAILED];
  return reeve_error_names[code];
}

/**
 * reeve_error_set_member:
 * @error: (out) (optional): return location
 * @pointer: JSON pointer (RFC 6901) of a member of what was asked, such as `/roles/0`
 * @format: what is wrong with it
 * @...: for @format
 *
 * Sets an error of code %REEVE_ERROR_INVALID_ARGUMENT that knows which member is wrong, so that its
 * caller can be told.
 *
 * Since: 1.0
 */
void
reeve_error_set_member (GError **error, const char *pointer, const char *format, ...)
{
  ReeveErrorPrivate *private = NULL;
  va_list arguments;

  if (error == NULL)
    return;
  va_start (arguments, format);
  *error = g_error_new_valist (REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, format, arguments);
  va_end (arguments);
  private = reeve_error_get_private (*error);
  if (private != NULL)
  private->member = g_strdup (pointer);
}

/**
 * reeve_error_prefix_member:
 * @error: (inout) (optional) (nullable): an error, or none
 * @format: JSON pointer of what the part stands in that the error is about
 * @...: for @format
 *
 * Lets an error of %REEVE_ERROR be about a member of something greater: what read the part does not
 * know where it stands. One that names no member is then about @format itself. An error of another
 * domain stays as it is.
 *
 * Since: 1.0
 */
void
reeve_error_prefix_member (GError **error, const char *format, ...)
{
  ReeveErrorPrivate *private = NULL;
  g_autofree char *before = NULL;
  g_autofree char *prefix = NULL;
  va_list arguments;

  if (error == NULL || *error == NULL || (*error)->domain != REEVE_ERROR)
    return;
  private = reeve_error_get_private (*error);
  if (private == NULL)
    return;
  va_start (arguments, format);
  prefix = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  before = private->member;
  private->member = g_strconcat (prefix, before, NULL);
}

/**
 * reeve_error_get_member:
 * @error: an error of any domain
 *
 * Returns: (transfer none) (nullable): JSON pointer of the member that it is about; %NULL when it
 * names none
 *
 * Since: 1.0
 */
const char *
reeve_error_get_member (const GError *error)
{
  const ReeveErrorPrivate *private
      = error->domain == REEVE_ERROR ? reeve_error_get_private (error) : NULL;

  return private != NULL ? private->member : NULL;
}

/**
 * reeve_error_set_wait:
 * @error: (nullable): an error of %REEVE_ERROR
 * @seconds: when it may be worth to ask again; %REEVE_ERROR_WAIT_NEVER: it will be refused as it is
 *
 * Says when what was refused may be asked again. It rises with the error.
 *
 * Since: 1.0
 */
void
reeve_error_set_wait (GError *error, guint seconds)
{
  ReeveErrorPrivate *private = NULL;

  if (error != NULL && error->domain == REEVE_ERROR)
  private = reeve_error_get_private (error);
  if (private != NULL)
  private->wait = seconds;
}

/**
 * reeve_error_get_wait:
 * @error: (nullable): an error of any domain
 *
 * Returns: seconds; 0 when nobody has said, %REEVE_ERROR_WAIT_NEVER when asking again does not help
 *
 * Since: 1.0
 */
guint
reeve_error_get_wait (const GError *error)
{
  const ReeveErrorPrivate *private = NULL;

  if (error != NULL && error->domain == REEVE_ERROR)
  private = reeve_error_get_private (error);
  return private != NULL ? private->wait : 0;
}
