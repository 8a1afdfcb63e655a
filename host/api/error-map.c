/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An error code has one HTTP status, one D-Bus name and one exit code, and they stand here. */
#include "error-map.h"

#define REEVE_ERROR_MAP_DBUS "io.reeve.Error."

static const ReeveErrorMap reeve_error_maps[] = {
  [REEVE_ERROR_FAILED]
  = { 500, "failed", "Internal error", REEVE_ERROR_MAP_DBUS "Failed", "server_error", 1 },
  [REEVE_ERROR_INVALID_ARGUMENT]
  = { 400, "invalid-argument", "The request is malformed", REEVE_ERROR_MAP_DBUS "InvalidArgument",
      "invalid_request_error", 2 },
  [REEVE_ERROR_UNAUTHENTICATED]
  = { 401, "unauthenticated", "No or bad credentials", REEVE_ERROR_MAP_DBUS "Unauthenticated",
      "invalid_request_error", 3 },
  [REEVE_ERROR_PERMISSION_DENIED]
  = { 403, "permission-denied", "A permission is missing", REEVE_ERROR_MAP_DBUS "PermissionDenied",
      "permission_error", 3 },
  [REEVE_ERROR_NOT_FOUND]
  = { 404, "not-found", "Not found", REEVE_ERROR_MAP_DBUS "NotFound", "invalid_request_error", 4 },
  [REEVE_ERROR_ALREADY_EXISTS]
  = { 409, "already-exists", "It exists already", REEVE_ERROR_MAP_DBUS "AlreadyExists",
      "invalid_request_error", 1 },
  [REEVE_ERROR_CONFLICT] = { 409, "conflict", "The state forbids it",
                             REEVE_ERROR_MAP_DBUS "Conflict", "invalid_request_error", 1 },
  [REEVE_ERROR_OUT_OF_RANGE] = { 409, "out-of-range", "A bound would be left",
                                 REEVE_ERROR_MAP_DBUS "OutOfRange", "invalid_request_error", 1 },
  [REEVE_ERROR_TOO_LARGE]
  = { 413, "too-large", "Too large", REEVE_ERROR_MAP_DBUS "TooLarge", "invalid_request_error", 1 },
  [REEVE_ERROR_BUSY]
  = { 503, "busy", "Too much to do; try again", REEVE_ERROR_MAP_DBUS "Busy", "server_error", 1 },
  [REEVE_ERROR_RATE_LIMITED] = { 429, "rate-limited", "Too many requests",
                                 REEVE_ERROR_MAP_DBUS "RateLimited", "rate_limit_error", 3 },
  [REEVE_ERROR_BUDGET_EXCEEDED]
  = { 429, "budget-exceeded", "The budget is exhausted", REEVE_ERROR_MAP_DBUS "BudgetExceeded",
      "insufficient_quota", 3 },
  [REEVE_ERROR_TIMEOUT]
  = { 504, "timeout", "It took too long", REEVE_ERROR_MAP_DBUS "Timeout", "server_error", 1 },
  [REEVE_ERROR_CANCELLED]
  = { 503, "cancelled", "Cancelled", REEVE_ERROR_MAP_DBUS "Cancelled", "server_error", 1 },
  [REEVE_ERROR_UNAVAILABLE] = { 503, "unavailable", "A service cannot be reached",
                                REEVE_ERROR_MAP_DBUS "Unavailable", "server_error", 1 },
  [REEVE_ERROR_UNKNOWN_OUTCOME]
  = { 502, "unknown-outcome", "It cannot be known whether it happened",
      REEVE_ERROR_MAP_DBUS "UnknownOutcome", "server_error", 1 },
  [REEVE_ERROR_UPSTREAM] = { 502, "upstream", "A provider answered with an error",
                             REEVE_ERROR_MAP_DBUS "Upstream", "server_error", 1 },
  [REEVE_ERROR_CORRUPT]
  = { 500, "corrupt", "Stored data is damaged", REEVE_ERROR_MAP_DBUS "Corrupt", "server_error", 1 },
  [REEVE_ERROR_FORMAT_TOO_NEW] = { 500, "format-too-new", "Stored data is from a newer version",
                                   REEVE_ERROR_MAP_DBUS "FormatTooNew", "server_error", 1 },
  [REEVE_ERROR_READ_ONLY] = { 503, "read-only", "The storage cannot be written",
                              REEVE_ERROR_MAP_DBUS "ReadOnly", "server_error", 1 },
  [REEVE_ERROR_CAPABILITY] = { 403, "capability", "A capability is not granted",
                               REEVE_ERROR_MAP_DBUS "Capability", "permission_error", 3 },
  [REEVE_ERROR_UNSUPPORTED] = { 501, "unsupported", "Not offered here",
                                REEVE_ERROR_MAP_DBUS "Unsupported", "invalid_request_error", 1 },
  [REEVE_ERROR_CONFIGURATION] = { 500, "configuration", "The host is not configured for it",
                                  REEVE_ERROR_MAP_DBUS "Configuration", "server_error", 1 },
  [REEVE_ERROR_PLUGIN]
  = { 500, "plugin", "A plugin failed", REEVE_ERROR_MAP_DBUS "Plugin", "server_error", 1 },
  [REEVE_ERROR_METHOD_NOT_ALLOWED]
  = { 405, "method-not-allowed", "Method not allowed", REEVE_ERROR_MAP_DBUS "MethodNotAllowed",
      "invalid_request_error", 2 },
  [REEVE_ERROR_UNSUPPORTED_MEDIA]
  = { 415, "unsupported-media", "Wrong media type", REEVE_ERROR_MAP_DBUS "UnsupportedMedia",
      "invalid_request_error", 2 },
  [REEVE_ERROR_IDEMPOTENCY_MISMATCH]
  = { 422, "idempotency-mismatch", "The idempotency key belongs to another request",
      REEVE_ERROR_MAP_DBUS "IdempotencyMismatch", "invalid_request_error", 1 },
  [REEVE_ERROR_CALLER_REVOKED] = { 403, "caller-revoked", "The caller's rights were taken back",
                                   REEVE_ERROR_MAP_DBUS "CallerRevoked", "permission_error", 3 },
  [REEVE_ERROR_NETWORK_DENIED] = { 403, "network-denied", "Nobody is let in from that network",
                                   REEVE_ERROR_MAP_DBUS "NetworkDenied", "permission_error", 3 },
  [REEVE_ERROR_COUNTRY_DENIED] = { 403, "country-denied", "Nobody is let in from that country",
                                   REEVE_ERROR_MAP_DBUS "CountryDenied", "permission_error", 3 },
  [REEVE_ERROR_CAPABILITY_REVOKED]
  = { 403, "capability-revoked", "A capability is granted no more",
      REEVE_ERROR_MAP_DBUS "CapabilityRevoked", "permission_error", 3 },
};

/**
 * reeve_error_map_get:
 * @code: a code of %REEVE_ERROR
 *
 * Returns: (transfer none): what doors say of it
 */
const ReeveErrorMap *
reeve_error_map_get (ReeveError code)
{
  guint number = (guint) code;

  if (number >= G_N_ELEMENTS (reeve_error_maps) || reeve_error_maps[number].status == 0)
    return &reeve_error_maps[REEVE_ERROR_FAILED];
  return &reeve_error_maps[number];
}

/**
 * reeve_error_map_lookup:
 * @error: any error; one of a foreign domain should have been converted, and is reported in the log
 *
 * Returns: (transfer none): what doors say of it
 */
const ReeveErrorMap *
reeve_error_map_lookup (const GError *error)
{
  if (error->domain != REEVE_ERROR)
    {
      g_warning ("an error of domain %s reached a door: %s", g_quark_to_string (error->domain),
                 error->message);
      return &reeve_error_maps[REEVE_ERROR_FAILED];
    }
  return reeve_error_map_get ((ReeveError) error->code);
}

/**
 * reeve_error_map_exit_of_status:
 * @status: an HTTP status that is no success
 *
 * Codes of one status have one exit code.
 *
 * Returns: what a program ends with that was answered so
 */
int
reeve_error_map_exit_of_status (guint status)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reeve_error_maps); i++)
    if (reeve_error_maps[i].status == status)
      return reeve_error_maps[i].exit;
  return reeve_error_maps[REEVE_ERROR_FAILED].exit;
}

/**
 * reeve_error_map_exit_of_name:
 * @name: a D-Bus error's name
 *
 * Returns: what a program ends with that was answered so; -1: a host does not say that
 */
int
reeve_error_map_exit_of_name (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reeve_error_maps); i++)
    if (g_strcmp0 (reeve_error_maps[i].dbus, name) == 0)
      return reeve_error_maps[i].exit;
  return g_str_has_prefix (name, REEVE_ERROR_MAP_DBUS) ? reeve_error_maps[REEVE_ERROR_FAILED].exit
                                                       : -1;
}
