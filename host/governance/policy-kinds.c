/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The classifier of tools. It errs on the grave side: a name that says nothing is `unknown`, which
 * no shipped list allows. */
#include "policy-kinds.h"

#include <string.h>

typedef struct
{
  const char *word;
  ReevePolicyKind kind;
} ReevePolicyKindsWord;

static const ReevePolicyKindsWord reeve_policy_kinds_words[] = {
  { "calculate", REEVE_POLICY_KIND_COMPUTE }, { "convert", REEVE_POLICY_KIND_COMPUTE },
  { "format", REEVE_POLICY_KIND_COMPUTE },    { "parse", REEVE_POLICY_KIND_COMPUTE },
  { "read", REEVE_POLICY_KIND_READ },         { "get", REEVE_POLICY_KIND_READ },
  { "list", REEVE_POLICY_KIND_READ },         { "search", REEVE_POLICY_KIND_READ },
  { "query", REEVE_POLICY_KIND_READ },        { "find", REEVE_POLICY_KIND_READ },
  { "lookup", REEVE_POLICY_KIND_READ },       { "show", REEVE_POLICY_KIND_READ },
  { "view", REEVE_POLICY_KIND_READ },         { "count", REEVE_POLICY_KIND_READ },
  { "http", REEVE_POLICY_KIND_NETWORK },      { "https", REEVE_POLICY_KIND_NETWORK },
  { "web", REEVE_POLICY_KIND_NETWORK },       { "url", REEVE_POLICY_KIND_NETWORK },
  { "api", REEVE_POLICY_KIND_NETWORK },       { "fetch", REEVE_POLICY_KIND_NETWORK },
  { "browse", REEVE_POLICY_KIND_NETWORK },    { "browser", REEVE_POLICY_KIND_NETWORK },
  { "download", REEVE_POLICY_KIND_NETWORK },  { "email", REEVE_POLICY_KIND_NETWORK },
  { "mail", REEVE_POLICY_KIND_NETWORK },      { "send", REEVE_POLICY_KIND_NETWORK },
  { "webhook", REEVE_POLICY_KIND_NETWORK },   { "write", REEVE_POLICY_KIND_WRITE },
  { "create", REEVE_POLICY_KIND_WRITE },      { "update", REEVE_POLICY_KIND_WRITE },
  { "put", REEVE_POLICY_KIND_WRITE },         { "post", REEVE_POLICY_KIND_WRITE },
  { "save", REEVE_POLICY_KIND_WRITE },        { "edit", REEVE_POLICY_KIND_WRITE },
  { "patch", REEVE_POLICY_KIND_WRITE },       { "insert", REEVE_POLICY_KIND_WRITE },
  { "upload", REEVE_POLICY_KIND_WRITE },      { "move", REEVE_POLICY_KIND_WRITE },
  { "set", REEVE_POLICY_KIND_WRITE },         { "delete", REEVE_POLICY_KIND_DELETE },
  { "remove", REEVE_POLICY_KIND_DELETE },     { "drop", REEVE_POLICY_KIND_DELETE },
  { "purge", REEVE_POLICY_KIND_DELETE },      { "erase", REEVE_POLICY_KIND_DELETE },
  { "execute", REEVE_POLICY_KIND_EXECUTE },   { "execution", REEVE_POLICY_KIND_EXECUTE },
  { "exec", REEVE_POLICY_KIND_EXECUTE },      { "run", REEVE_POLICY_KIND_EXECUTE },
  { "shell", REEVE_POLICY_KIND_EXECUTE },     { "bash", REEVE_POLICY_KIND_EXECUTE },
  { "command", REEVE_POLICY_KIND_EXECUTE },   { "code", REEVE_POLICY_KIND_EXECUTE },
  { "eval", REEVE_POLICY_KIND_EXECUTE },      { "python", REEVE_POLICY_KIND_EXECUTE },
  { "script", REEVE_POLICY_KIND_EXECUTE },    { "terminal", REEVE_POLICY_KIND_EXECUTE },
};

static const char *const reeve_policy_kinds_names[]
    = { "compute", "read", "network", "write", "delete", "execute", "unknown" };
static const char *const reeve_policy_kinds_risks[] = { "low", "medium", "high" };
static const char *const reeve_policy_kinds_safe[]
    = { "semantic_search", "calculate", "compute:*", NULL };
static const char *const reeve_policy_kinds_wider[]
    = { "semantic_search", "calculate", "compute:*", "read:*", NULL };

static int
reeve_policy_kinds_find (const char *word, gsize length)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_policy_kinds_words); i++)
    {
      const ReevePolicyKindsWord *row = &reeve_policy_kinds_words[i];

      if (strlen (row->word) == length && g_ascii_strncasecmp (row->word, word, length) == 0)
        return (int) row->kind;
    }
  return -1;
}

/* Words are separated by anything that is no letter, and by a capital. */
static ReevePolicyKind
reeve_policy_kinds_by_name (const char *name)
{
  int found = -1;
  const char *at = name;

  while (*at != '\0')
    {
      gsize length = g_ascii_isalpha (*at) ? 1 : 0;

      while (length > 0 && g_ascii_isalpha (at[length])
             && !(g_ascii_isupper (at[length]) && g_ascii_islower (at[length - 1])))
        length++;
      if (length > 0)
        found = MAX (found, reeve_policy_kinds_find (at, length));
      at += MAX (length, 1);
    }
  return found < 0 ? REEVE_POLICY_KIND_UNKNOWN : (ReevePolicyKind) found;
}

/**
 * reeve_policy_kinds_classify:
 * @tool_name: a tool
 * @known: whether it exists and @hints are its own
 * @hints: what it says of itself
 *
 * What a tool says of itself goes before its name.
 *
 * Returns: what kind of work it does
 */
ReevePolicyKind
reeve_policy_kinds_classify (const char *tool_name, gboolean known, ReeveToolHints hints)
{
  ReevePolicyKind named = reeve_policy_kinds_by_name (tool_name);

  if (!known)
    return named;
  if ((hints & REEVE_TOOL_DESTRUCTIVE) != 0)
    return named == REEVE_POLICY_KIND_EXECUTE ? named : REEVE_POLICY_KIND_DELETE;
  if ((hints & REEVE_TOOL_READ_ONLY) != 0)
    {
      if ((hints & REEVE_TOOL_OPEN_WORLD) != 0)
        return REEVE_POLICY_KIND_NETWORK;
      return named == REEVE_POLICY_KIND_COMPUTE ? named : REEVE_POLICY_KIND_READ;
    }
  if ((hints & REEVE_TOOL_OPEN_WORLD) != 0 && named < REEVE_POLICY_KIND_NETWORK)
    return REEVE_POLICY_KIND_NETWORK;
  return named;
}

/**
 * reeve_policy_kinds_get_name:
 * @kind: a kind
 *
 * Returns: (transfer none): its word, as in patterns
 */
const char *
reeve_policy_kinds_get_name (ReevePolicyKind kind)
{
  return reeve_policy_kinds_names[kind];
}

/**
 * reeve_policy_kinds_get_risk:
 * @kind: a kind
 *
 * Returns: how much can go wrong
 */
ReevePolicyRisk
reeve_policy_kinds_get_risk (ReevePolicyKind kind)
{
  if (kind <= REEVE_POLICY_KIND_READ)
    return REEVE_POLICY_RISK_LOW;
  return kind <= REEVE_POLICY_KIND_WRITE ? REEVE_POLICY_RISK_MEDIUM : REEVE_POLICY_RISK_HIGH;
}

/**
 * reeve_policy_kinds_get_risk_name:
 * @risk: a risk
 *
 * Returns: (transfer none): low, medium or high
 */
const char *
reeve_policy_kinds_get_risk_name (ReevePolicyRisk risk)
{
  return reeve_policy_kinds_risks[risk];
}

/**
 * reeve_policy_kinds_parse_risk:
 * @word: low, medium or high
 *
 * Returns: a #ReevePolicyRisk, or -1
 */
int
reeve_policy_kinds_parse_risk (const char *word)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_policy_kinds_risks); i++)
    if (g_strcmp0 (word, reeve_policy_kinds_risks[i]) == 0)
      return (int) i;
  return -1;
}

/**
 * reeve_policy_kinds_is_external:
 * @kind: what it was classified as
 * @known: whether the tool exists and @hints are its own
 * @hints: what it says of itself
 *
 * Returns: whether it could reach beyond the host
 */
gboolean
reeve_policy_kinds_is_external (ReevePolicyKind kind, gboolean known, ReeveToolHints hints)
{
  if (known && (hints & REEVE_TOOL_OPEN_WORLD) != 0)
    return TRUE;
  return kind == REEVE_POLICY_KIND_NETWORK || kind == REEVE_POLICY_KIND_EXECUTE
         || kind == REEVE_POLICY_KIND_UNKNOWN;
}

/**
 * reeve_policy_kinds_get_safe:
 * @wider: what level `trusted` begins with, instead of `standard`
 *
 * Returns: (transfer none): patterns of actions
 */
const char *const *
reeve_policy_kinds_get_safe (gboolean wider)
{
  return wider ? reeve_policy_kinds_wider : reeve_policy_kinds_safe;
}
