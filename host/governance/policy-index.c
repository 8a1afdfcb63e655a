/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pattern without wildcard is found by the hash of the whole name; one with a wildcard by the
 * hash of the literal text before its first or behind its last one, whichever is longer. Hashes of
 * all beginnings of a name come from one pass over it, and a set of bits says which lengths occur,
 * so a lookup costs the length of the name and not the number of patterns. Patterns that share
 * their literal text are compared one after the other. */
#include "policy-index.h"

#include <string.h>

#include "policy-glob.h"

#define REEVE_POLICY_INDEX_OFFSET 2166136261u /* FNV-1a */
#define REEVE_POLICY_INDEX_PRIME  16777619u
#define REEVE_POLICY_INDEX_WORDS  ((REEVE_POLICY_INDEX_LONGEST + 64) / 64)

typedef enum
{
  REEVE_POLICY_INDEX_WHOLE,
  REEVE_POLICY_INDEX_BEGIN,
  REEVE_POLICY_INDEX_END
} ReevePolicyIndexKind;

typedef struct
{
  const char *pattern;
  const char *literal;
  guint32 hash;
  guint16 length; /* of the literal */
  guint8 kind;
  gboolean simple; /* the literal and one `*`: nothing else to compare */
  guint value;
  guint next; /* row + 1 of the same slot; 0: none */
} ReevePolicyIndexRow;

struct _ReevePolicyIndex
{
  GArray *rows;
  guint *slots; /* row + 1 */
  guint mask;
  guint64 lengths[3][REEVE_POLICY_INDEX_WORDS];
};

/**
 * reeve_policy_index_new:
 *
 * Returns: (transfer full): without patterns
 */
ReevePolicyIndex *
reeve_policy_index_new (void)
{
  ReevePolicyIndex *self = g_new0 (ReevePolicyIndex, 1);

  self->rows = g_array_new (FALSE, TRUE, sizeof (ReevePolicyIndexRow));
  return self;
}

/**
 * reeve_policy_index_free:
 * @self: (transfer full): an index
 */
void
reeve_policy_index_free (ReevePolicyIndex *self)
{
  g_array_unref (self->rows);
  g_free (self->slots);
  g_free (self);
}

static guint32
reeve_policy_index_step (guint32 hash, char c)
{
  return (hash ^ (guchar) c) * REEVE_POLICY_INDEX_PRIME;
}

/* Ends are hashed from their last character on. */
static guint32
reeve_policy_index_hash (const char *literal, gsize length, ReevePolicyIndexKind kind)
{
  guint32 hash = REEVE_POLICY_INDEX_OFFSET;

  for (gsize i = 0; i < length; i++)
    hash = reeve_policy_index_step (hash,
                                    literal[kind == REEVE_POLICY_INDEX_END ? length - 1 - i : i]);
  return hash;
}

static guint
reeve_policy_index_place (const ReevePolicyIndex *self, guint32 hash, ReevePolicyIndexKind kind)
{
  return (hash ^ (hash >> 15) ^ ((guint32) kind * 0x9e3779b9u)) & self->mask;
}

/**
 * reeve_policy_index_add:
 * @self: an index that is not sealed
 * @pattern: at most %REEVE_POLICY_INDEX_LONGEST bytes; outlives @self
 * @value: what is told when it matches
 */
void
reeve_policy_index_add (ReevePolicyIndex *self, const char *pattern, guint value)
{
  gsize whole = strlen (pattern);
  gsize before = strcspn (pattern, "*?");
  gsize behind = 0;
  ReevePolicyIndexRow row = { .pattern = pattern, .literal = pattern, .value = value };

  g_return_if_fail (self->slots == NULL && whole <= REEVE_POLICY_INDEX_LONGEST);
  while (behind < whole - before && strchr ("*?", pattern[whole - 1 - behind]) == NULL)
    behind++;
  row.kind = before == whole   ? REEVE_POLICY_INDEX_WHOLE
             : behind > before ? REEVE_POLICY_INDEX_END
                               : REEVE_POLICY_INDEX_BEGIN;
  row.length = (guint16) (row.kind == REEVE_POLICY_INDEX_END ? behind : before);
  if (row.kind == REEVE_POLICY_INDEX_END)
    row.literal = pattern + whole - behind;
  row.hash = reeve_policy_index_hash (row.literal, row.length, row.kind);
  row.simple = whole == (gsize) row.length + 1 && strchr (pattern, '*') != NULL;
  self->lengths[row.kind][row.length / 64] |= G_GUINT64_CONSTANT (1) << (row.length % 64);
  g_array_append_val (self->rows, row);
}

/**
 * reeve_policy_index_seal:
 * @self: an index
 *
 * Ends its making.
 */
void
reeve_policy_index_seal (ReevePolicyIndex *self)
{
  guint size = 4;

  while (size < self->rows->len * 2)
    size *= 2;
  self->mask = size - 1;
  self->slots = g_new0 (guint, size);
  for (guint i = 0; i < self->rows->len; i++)
    {
      ReevePolicyIndexRow *row = &g_array_index (self->rows, ReevePolicyIndexRow, i);
      guint *slot = &self->slots[reeve_policy_index_place (self, row->hash, row->kind)];

      row->next = *slot;
      *slot = i + 1;
    }
}

static gboolean
reeve_policy_index_matches (const ReevePolicyIndexRow *row, const char *part, const char *name)
{
  if (memcmp (row->literal, part, row->length) != 0)
    return FALSE;
  return row->kind == REEVE_POLICY_INDEX_WHOLE || row->simple
         || reeve_policy_glob_match (row->pattern, name);
}

static gboolean
reeve_policy_index_probe (const ReevePolicyIndex *self, ReevePolicyIndexKind kind, guint32 hash,
                          const char *part, gsize length, const char *name,
                          ReevePolicyIndexVisit visit, gpointer user_data)
{
  guint at = 0;

  if ((self->lengths[kind][length / 64] & (G_GUINT64_CONSTANT (1) << (length % 64))) == 0)
    return TRUE;
  at = self->slots[reeve_policy_index_place (self, hash, kind)];
  while (at != 0)
    {
      const ReevePolicyIndexRow *row = &g_array_index (self->rows, ReevePolicyIndexRow, at - 1);

      if (row->hash == hash && row->kind == kind && row->length == length
          && reeve_policy_index_matches (row, part, name) && !visit (row->value, user_data))
        return FALSE;
      at = row->next;
    }
  return TRUE;
}

static gboolean
reeve_policy_index_has_ends (const ReevePolicyIndex *self)
{
  guint64 any = 0;

  for (guint i = 0; i < REEVE_POLICY_INDEX_WORDS; i++)
    any |= self->lengths[REEVE_POLICY_INDEX_END][i];
  return any != 0;
}

/**
 * reeve_policy_index_visit:
 * @self: a sealed index
 * @name: a name
 * @visit: called for each pattern that matches it
 * @user_data: for @visit
 */
void
reeve_policy_index_visit (const ReevePolicyIndex *self, const char *name,
                          ReevePolicyIndexVisit visit, gpointer user_data)
{
  gsize length = strlen (name);
  gsize known = MIN (length, REEVE_POLICY_INDEX_LONGEST);
  guint32 hash = REEVE_POLICY_INDEX_OFFSET;

  for (gsize i = 0; i <= known; i++)
    {
      if (!reeve_policy_index_probe (self, REEVE_POLICY_INDEX_BEGIN, hash, name, i, name, visit,
                                     user_data))
        return;
      if (i < known)
        hash = reeve_policy_index_step (hash, name[i]);
    }
  if (length == known
      && !reeve_policy_index_probe (self, REEVE_POLICY_INDEX_WHOLE, hash, name, length, name, visit,
                                    user_data))
    return;
  if (!reeve_policy_index_has_ends (self))
    return;
  hash = REEVE_POLICY_INDEX_OFFSET;
  for (gsize i = 1; i <= known; i++)
    {
      hash = reeve_policy_index_step (hash, name[length - i]);
      if (!reeve_policy_index_probe (self, REEVE_POLICY_INDEX_END, hash, name + length - i, i, name,
                                     visit, user_data))
        return;
    }
}
