/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inclusion and consistency proofs of RFC 6962 section 2.1, verified by the algorithms of RFC 9162
 * sections 2.1.3.2 and 2.1.4.2.
 *
 * A tree is cut at the largest power of two below its size until perfect subtrees are left; those
 * come from a function, which has them from tiles. */
#include "ledger-merkle.h"

#include <string.h>

#include <reeve-plugin-1.h>

/* where the hashes come from and where a proof goes */
typedef struct
{
  ReeveLedgerMerkleGet get;
  gpointer user_data;
  ReeveLedgerMerklePath *path;
} ReeveLedgerMerkle;

/**
 * reeve_ledger_merkle_join:
 * @left: a hash
 * @right: a hash
 * @node: (out caller-allocates): may be one of both
 *
 * The hash of an inner node: SHA-256 (0x01 | left | right).
 */
void
reeve_ledger_merkle_join (const guint8 *left, const guint8 *right, guint8 *node)
{
  guint8 buffer[1 + 2 * REEVE_LEDGER_HASH_SIZE];

  buffer[0] = 0x01;
  memcpy (buffer + 1, left, REEVE_LEDGER_HASH_SIZE);
  memcpy (buffer + 1 + REEVE_LEDGER_HASH_SIZE, right, REEVE_LEDGER_HASH_SIZE);
  reeve_digests_sha256 (buffer, sizeof buffer, node);
}

/**
 * reeve_ledger_merkle_fold:
 * @hashes: hashes of one height, one behind the other
 * @count: their number, a power of two up to 256
 * @root: (out caller-allocates): root of the perfect tree over them
 */
void
reeve_ledger_merkle_fold (const guint8 *hashes, guint count, guint8 root[REEVE_LEDGER_HASH_SIZE])
{
  guint8 nodes[128][REEVE_LEDGER_HASH_SIZE];

  g_return_if_fail (count > 0 && count <= 256 && (count & (count - 1)) == 0);
  if (count == 1)
    {
      memcpy (root, hashes, REEVE_LEDGER_HASH_SIZE);
      return;
    }
  for (guint i = 0; i < count / 2; i++)
    reeve_ledger_merkle_join (hashes + (gsize) (2 * i) * REEVE_LEDGER_HASH_SIZE,
                              hashes + (gsize) (2 * i + 1) * REEVE_LEDGER_HASH_SIZE, nodes[i]);
  for (count /= 2; count > 1; count /= 2)
    for (guint i = 0; i < count / 2; i++)
      reeve_ledger_merkle_join (nodes[2 * i], nodes[2 * i + 1], nodes[i]);
  memcpy (root, nodes[0], REEVE_LEDGER_HASH_SIZE);
}

/* Largest power of two smaller than @n, which is 2 at least. */
static guint64
reeve_ledger_merkle_split (guint64 n)
{
  guint64 k = 1;

  while (k * 2 < n)
    k *= 2;
  return k;
}

/* MTH (D[begin:end]); the range is one that cutting a whole tree gives. */
static gboolean
reeve_ledger_merkle_range (ReeveLedgerMerkle *self, guint64 begin, guint64 end,
                           guint8 hash[REEVE_LEDGER_HASH_SIZE], GError **error)
{
  guint8 right[REEVE_LEDGER_HASH_SIZE];
  guint64 n = end - begin;
  guint64 k = 0;
  guint height = 0;

  if ((n & (n - 1)) == 0)
    {
      while (n >> height > 1)
        height++;
      return self->get (height, begin >> height, hash, self->user_data, error);
    }
  k = reeve_ledger_merkle_split (n);
  if (!reeve_ledger_merkle_range (self, begin, begin + k, hash, error)
      || !reeve_ledger_merkle_range (self, begin + k, end, right, error))
    return FALSE;
  reeve_ledger_merkle_join (hash, right, hash);
  return TRUE;
}

/* Adds the hash of a range to the proof. */
static gboolean
reeve_ledger_merkle_push (ReeveLedgerMerkle *self, guint64 begin, guint64 end, GError **error)
{
  g_assert (self->path->count < REEVE_LEDGER_MERKLE_PATH);
  return reeve_ledger_merkle_range (self, begin, end, self->path->hashes[self->path->count++],
                                    error);
}

/* PATH (m, D[begin:end]); as deep as the tree is high. */
static gboolean
reeve_ledger_merkle_walk (ReeveLedgerMerkle *self, guint64 index, guint64 begin, guint64 end,
                          GError **error)
{
  guint64 k = 0;

  if (end - begin == 1)
    return TRUE;
  k = begin + reeve_ledger_merkle_split (end - begin);
  if (index < k)
    return reeve_ledger_merkle_walk (self, index, begin, k, error)
           && reeve_ledger_merkle_push (self, k, end, error);
  return reeve_ledger_merkle_walk (self, index, k, end, error)
         && reeve_ledger_merkle_push (self, begin, k, error);
}

/* SUBPROOF (m, D[begin:end], complete); @old counts from the tree's beginning. */
static gboolean
reeve_ledger_merkle_subproof (ReeveLedgerMerkle *self, guint64 old, guint64 begin, guint64 end,
                              gboolean complete, GError **error)
{
  guint64 k = 0;

  if (old == end)
    return complete || reeve_ledger_merkle_push (self, begin, end, error);
  k = begin + reeve_ledger_merkle_split (end - begin);
  if (old <= k)
    return reeve_ledger_merkle_subproof (self, old, begin, k, complete, error)
           && reeve_ledger_merkle_push (self, k, end, error);
  return reeve_ledger_merkle_subproof (self, old, k, end, FALSE, error)
         && reeve_ledger_merkle_push (self, begin, k, error);
}

static gboolean
reeve_ledger_merkle_check_size (guint64 size, GError **error)
{
  if (size < G_GUINT64_CONSTANT (1) << REEVE_LEDGER_FRONTIER_LEVELS)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "the tree is larger than any ledger");
  return FALSE;
}

/**
 * reeve_ledger_merkle_root:
 * @get: gives perfect subtrees
 * @user_data: for @get
 * @size: number of leaves
 * @root: (out caller-allocates): the root over them
 * @error: return location
 *
 * Returns: %FALSE with an error of @get
 */
gboolean
reeve_ledger_merkle_root (ReeveLedgerMerkleGet get, gpointer user_data, guint64 size,
                          guint8 root[REEVE_LEDGER_HASH_SIZE], GError **error)
{
  ReeveLedgerMerkle self = { .get = get, .user_data = user_data };

  if (!reeve_ledger_merkle_check_size (size, error))
    return FALSE;
  if (size > 0)
    return reeve_ledger_merkle_range (&self, 0, size, root, error);
  reeve_digests_sha256 ("", 0, root);
  return TRUE;
}

/**
 * reeve_ledger_merkle_include:
 * @get: gives perfect subtrees
 * @user_data: for @get
 * @index: a leaf, from 0
 * @size: number of leaves
 * @path: (out caller-allocates): the inclusion proof of the leaf
 * @error: return location
 *
 * Returns: %FALSE with an error of @get, or %REEVE_ERROR_INVALID_ARGUMENT when there is no such
 * leaf
 */
gboolean
reeve_ledger_merkle_include (ReeveLedgerMerkleGet get, gpointer user_data, guint64 index,
                             guint64 size, ReeveLedgerMerklePath *path, GError **error)
{
  ReeveLedgerMerkle self = { get, user_data, path };

  path->count = 0;
  if (!reeve_ledger_merkle_check_size (size, error))
    return FALSE;
  if (index < size)
    return reeve_ledger_merkle_walk (&self, index, 0, size, error);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "the tree has no such leaf");
  return FALSE;
}

/**
 * reeve_ledger_merkle_extend:
 * @get: gives perfect subtrees
 * @user_data: for @get
 * @old_size: number of leaves once
 * @size: number of leaves now
 * @path: (out caller-allocates): the consistency proof
 * @error: return location
 *
 * Returns: %FALSE with an error of @get, or %REEVE_ERROR_INVALID_ARGUMENT when the tree was larger
 * than it is
 */
gboolean
reeve_ledger_merkle_extend (ReeveLedgerMerkleGet get, gpointer user_data, guint64 old_size,
                            guint64 size, ReeveLedgerMerklePath *path, GError **error)
{
  ReeveLedgerMerkle self = { get, user_data, path };

  path->count = 0;
  if (!reeve_ledger_merkle_check_size (size, error))
    return FALSE;
  if (old_size > size)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "the tree is smaller than it was");
      return FALSE;
    }
  return old_size == 0 || old_size == size
         || reeve_ledger_merkle_subproof (&self, old_size, 0, size, TRUE, error);
}

/* Up to where a node is a right child. */
static void
reeve_ledger_merkle_climb (guint64 *first, guint64 *second)
{
  while ((*first & 1) == 0 && *first != 0)
    {
      *first >>= 1;
      *second >>= 1;
    }
}

/**
 * reeve_ledger_merkle_check_inclusion:
 * @path: an inclusion proof
 * @index: a leaf, from 0
 * @size: number of leaves
 * @leaf: hash of the leaf
 * @root: root of the tree
 *
 * Returns: whether @path proves the leaf to be in the tree
 */
gboolean
reeve_ledger_merkle_check_inclusion (const ReeveLedgerMerklePath *path, guint64 index, guint64 size,
                                     const guint8 leaf[REEVE_LEDGER_HASH_SIZE],
                                     const guint8 root[REEVE_LEDGER_HASH_SIZE])
{
  guint8 hash[REEVE_LEDGER_HASH_SIZE];
  guint64 last = size - 1;

  if (index >= size)
    return FALSE;
  memcpy (hash, leaf, sizeof hash);
  for (guint i = 0; i < path->count; i++)
    {
      if (last == 0)
        return FALSE;
      if ((index & 1) != 0 || index == last)
        {
          reeve_ledger_merkle_join (path->hashes[i], hash, hash);
          reeve_ledger_merkle_climb (&index, &last);
        }
      else
        reeve_ledger_merkle_join (hash, path->hashes[i], hash);
      index >>= 1;
      last >>= 1;
    }
  return last == 0 && memcmp (hash, root, sizeof hash) == 0;
}

/**
 * reeve_ledger_merkle_check_extension:
 * @path: a consistency proof
 * @old_size: number of leaves once
 * @old_root: root of the tree then
 * @size: number of leaves now
 * @root: root of the tree now
 *
 * Returns: whether @path proves the older tree to be the beginning of the newer one
 */
gboolean
reeve_ledger_merkle_check_extension (const ReeveLedgerMerklePath *path, guint64 old_size,
                                     const guint8 old_root[REEVE_LEDGER_HASH_SIZE], guint64 size,
                                     const guint8 root[REEVE_LEDGER_HASH_SIZE])
{
  guint8 older[REEVE_LEDGER_HASH_SIZE];
  guint8 newer[REEVE_LEDGER_HASH_SIZE];
  gboolean perfect = (old_size & (old_size - 1)) == 0;
  guint64 first = old_size - 1;
  guint64 second = size - 1;

  if (old_size > size)
    return FALSE;
  if (old_size == 0 || old_size == size)
    return path->count == 0 && (old_size == 0 || memcmp (old_root, root, sizeof older) == 0);
  if (path->count == 0)
    return FALSE;
  for (; (first & 1) != 0; first >>= 1)
    second >>= 1;
  memcpy (older, perfect ? old_root : path->hashes[0], sizeof older);
  memcpy (newer, older, sizeof newer);
  for (guint i = perfect ? 0 : 1; i < path->count; i++)
    {
      if (second == 0)
        return FALSE;
      if ((first & 1) != 0 || first == second)
        {
          reeve_ledger_merkle_join (path->hashes[i], older, older);
          reeve_ledger_merkle_join (path->hashes[i], newer, newer);
          reeve_ledger_merkle_climb (&first, &second);
        }
      else
        reeve_ledger_merkle_join (newer, path->hashes[i], newer);
      first >>= 1;
      second >>= 1;
    }
  return second == 0 && memcmp (older, old_root, sizeof older) == 0
         && memcmp (newer, root, sizeof newer) == 0;
}
