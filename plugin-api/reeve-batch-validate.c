/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bounds of the operations of a batch, the same for every storage plugin. */
#include "reeve-storage.h"

#include <string.h>

#define VALIDATE_MAX_NAME    512
#define VALIDATE_MAX_PAYLOAD (64 * 1024 * 1024)
#define VALIDATE_MAX_BLOB    (512 * 1024 * 1024)
#define VALIDATE_MAX_LEASES  500

static gboolean
reeve_batch_validate_name (const char *name, const char *what, GError **error)
{
  gsize length = name != NULL ? strlen (name) : 1;

  if (length >= 1 && length <= VALIDATE_MAX_NAME
      && (name == NULL || g_utf8_validate_len (name, length, NULL)))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
               "%s is empty, longer than %d bytes or no UTF-8", what, VALIDATE_MAX_NAME);
  return FALSE;
}

static gboolean
reeve_batch_validate_text (const char *text, const char *what, GError **error)
{
  gsize length = text != NULL ? strlen (text) : 0;

  if (length > VALIDATE_MAX_PAYLOAD)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "%s is longer than %d bytes", what,
                 VALIDATE_MAX_PAYLOAD);
  else if (text != NULL && !g_utf8_validate_len (text, length, NULL))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s is no UTF-8", what);
  else
    return TRUE;
  return FALSE;
}

static gboolean
reeve_batch_validate_bytes (const ReeveOp *op, GError **error)
{
  gsize limit = op->kind == REEVE_OP_BLOB_PUT ? VALIDATE_MAX_BLOB : VALIDATE_MAX_PAYLOAD;

  if (op->bytes == NULL || g_bytes_get_size (op->bytes) <= limit)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
               "payload of %s is longer than %" G_GSIZE_FORMAT " bytes", op->name, limit);
  return FALSE;
}

static gboolean
reeve_batch_validate_numbers (const ReeveOp *op, GError **error)
{
  const char *fault = NULL;

  if (op->expected < REEVE_REVISION_ANY)
    fault = "an expected revision or number is negative";
  else if (op->kind == REEVE_OP_APPEND && op->expected == 0)
    fault = "numbers of a stream begin with 1";
  else if (op->kind == REEVE_OP_COUNT && op->min > op->max)
    fault = "the bounds of a counter exclude every value";
  else if (op->kind == REEVE_OP_LEASE && (op->max < 1 || op->max > VALIDATE_MAX_LEASES))
    fault = "a lease is for 1 to 500 items";
  else if (op->kind == REEVE_OP_LEASE
           && (op->delta < 1 || op->time < 0 || op->time > G_MAXINT64 - op->delta))
    fault = "the time of a lease is out of range";
  if (fault == NULL)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, fault);
  return FALSE;
}

/**
 * reeve_batch_validate:
 * @self: a batch
 * @error: return location
 *
 * Checks the bounds of all operations: names up to 512 bytes of UTF-8, payloads and texts up to
 * 64 MiB, blobs up to 512 MiB, numbers that make sense. Not whether collections are declared.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT or %REEVE_ERROR_TOO_LARGE
 *
 * Since: 1.0
 */
gboolean
reeve_batch_validate (ReeveBatch *self, GError **error)
{
  guint n = 0;

  g_return_val_if_fail (self != NULL, FALSE);
  n = reeve_batch_get_length (self);
  for (guint i = 0; i < n; i++)
    {
      const ReeveOp *op = reeve_batch_get_op (self, i);

      if (!reeve_batch_validate_name (op->name, "a name", error)
          || !reeve_batch_validate_name (op->id, "an id", error)
          || !reeve_batch_validate_name (op->group, "a group", error)
          || !reeve_batch_validate_text (op->title, "a title", error)
          || !reeve_batch_validate_text (op->text, "a text", error)
          || !reeve_batch_validate_bytes (op, error) || !reeve_batch_validate_numbers (op, error))
        return FALSE;
    }
  return TRUE;
}
