/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one error domain of the product. */
#pragma once

#include "reeve-version.h"

G_BEGIN_DECLS

#define REEVE_ERROR (reeve_error_quark ())

/**
 * ReeveError:
 * @REEVE_ERROR_FAILED: something inside failed
 * @REEVE_ERROR_INVALID_ARGUMENT: a parameter is malformed or out of range
 * @REEVE_ERROR_UNAUTHENTICATED: no or bad credentials
 * @REEVE_ERROR_PERMISSION_DENIED: the caller lacks a permission, or a policy says no
 * @REEVE_ERROR_NOT_FOUND: no such thing in the caller's tenant
 * @REEVE_ERROR_ALREADY_EXISTS: the identifier or name is taken
 * @REEVE_ERROR_CONFLICT: a revision or state precondition does not hold
 * @REEVE_ERROR_OUT_OF_RANGE: a conditional counter would leave its bounds
 * @REEVE_ERROR_TOO_LARGE: a size limit is exceeded
 * @REEVE_ERROR_BUSY: a bounded queue is full; try again
 * @REEVE_ERROR_RATE_LIMITED: a rate limit is exceeded
 * @REEVE_ERROR_BUDGET_EXCEEDED: a budget is exhausted
 * @REEVE_ERROR_TIMEOUT: the deadline passed
 * @REEVE_ERROR_CANCELLED: the caller gave up
 * @REEVE_ERROR_UNAVAILABLE: a service or provider cannot be reached
 * @REEVE_ERROR_UNKNOWN_OUTCOME: it cannot be known whether the effect happened
 * @REEVE_ERROR_UPSTREAM: a provider answered with an error
 * @REEVE_ERROR_CORRUPT: stored data is damaged
 * @REEVE_ERROR_FORMAT_TOO_NEW: stored data was written by a newer version
 * @REEVE_ERROR_READ_ONLY: the storage cannot be written
 * @REEVE_ERROR_CAPABILITY: a capability was not requested or not granted
 * @REEVE_ERROR_UNSUPPORTED: this implementation does not offer that
 * @REEVE_ERROR_CONFIGURATION: a configuration or settings value is wrong
 * @REEVE_ERROR_PLUGIN: a plugin cannot be loaded or misbehaved
 * @REEVE_ERROR_METHOD_NOT_ALLOWED: the path exists, the method does not
 * @REEVE_ERROR_UNSUPPORTED_MEDIA: wrong content type
 * @REEVE_ERROR_IDEMPOTENCY_MISMATCH: same idempotency key, other request
 * @REEVE_ERROR_CALLER_REVOKED: the caller's rights were taken back while it went on
 * @REEVE_ERROR_NETWORK_DENIED: nobody is let in from that address
 * @REEVE_ERROR_COUNTRY_DENIED: nobody is let in from the country of that address
 * @REEVE_ERROR_CAPABILITY_REVOKED: a capability was granted, and is not any more
 *
 * Codes of %REEVE_ERROR. Doors map each once to an HTTP status, a D-Bus error name and an exit
 * code. Append only.
 *
 * Since: 1.0
 */
typedef enum
{
  REEVE_ERROR_FAILED,
  REEVE_ERROR_INVALID_ARGUMENT,
  REEVE_ERROR_UNAUTHENTICATED,
  REEVE_ERROR_PERMISSION_DENIED,
  REEVE_ERROR_NOT_FOUND,
  REEVE_ERROR_ALREADY_EXISTS,
  REEVE_ERROR_CONFLICT,
  REEVE_ERROR_OUT_OF_RANGE,
  REEVE_ERROR_TOO_LARGE,
  REEVE_ERROR_BUSY,
  REEVE_ERROR_RATE_LIMITED,
  REEVE_ERROR_BUDGET_EXCEEDED,
  REEVE_ERROR_TIMEOUT,
  REEVE_ERROR_CANCELLED,
  REEVE_ERROR_UNAVAILABLE,
  REEVE_ERROR_UNKNOWN_OUTCOME,
  REEVE_ERROR_UPSTREAM,
  REEVE_ERROR_CORRUPT,
  REEVE_ERROR_FORMAT_TOO_NEW,
  REEVE_ERROR_READ_ONLY,
  REEVE_ERROR_CAPABILITY,
  REEVE_ERROR_UNSUPPORTED,
  REEVE_ERROR_CONFIGURATION,
  REEVE_ERROR_PLUGIN,
  REEVE_ERROR_METHOD_NOT_ALLOWED,
  REEVE_ERROR_UNSUPPORTED_MEDIA,
  REEVE_ERROR_IDEMPOTENCY_MISMATCH,
  REEVE_ERROR_CALLER_REVOKED,
  REEVE_ERROR_NETWORK_DENIED,
  REEVE_ERROR_COUNTRY_DENIED,
  REEVE_ERROR_CAPABILITY_REVOKED
} ReeveError;

REEVE_AVAILABLE_IN_1_0
GQuark reeve_error_quark (void);
REEVE_AVAILABLE_IN_1_0
const char *reeve_error_get_name (ReeveError code);
REEVE_AVAILABLE_IN_1_0
void reeve_error_set_member (GError **error, const char *pointer, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
REEVE_AVAILABLE_IN_1_0
void reeve_error_prefix_member (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
REEVE_AVAILABLE_IN_1_0
const char *reeve_error_get_member (const GError *error);

/**
 * REEVE_ERROR_WAIT_NEVER:
 *
 * What is asked again unchanged will be refused again.
 *
 * Since: 1.0
 */
#define REEVE_ERROR_WAIT_NEVER G_MAXUINT

REEVE_AVAILABLE_IN_1_0
void reeve_error_set_wait (GError *error, guint seconds);
REEVE_AVAILABLE_IN_1_0
guint reeve_error_get_wait (const GError *error);

G_END_DECLS
