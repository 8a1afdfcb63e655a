/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Constraints on the actual arguments. Which members hold paths, domains and operations is known by
 * their names, at any depth, unless the policy names them, and by what a text looks like; whatever
 * has no canonical form, and a constraint that finds nothing it could check, refuses. */
#include "policy-constraints.h"

#include <string.h>

#include "policy-arguments.h"
#include "policy-glob.h"

#define REEVE_POLICY_CONSTRAINTS_DEPTH 16

typedef enum
{
  REEVE_POLICY_CONSTRAINTS_PATHS,
  REEVE_POLICY_CONSTRAINTS_DOMAINS,
  REEVE_POLICY_CONSTRAINTS_OPERATIONS,
  REEVE_POLICY_CONSTRAINTS_KINDS
} ReevePolicyConstraintsKind;

static const char *const reeve_policy_constraints_words[] = { "paths", "domains", "operations" };

static const char *const reeve_policy_constraints_path_members[]
    = { "path",        "paths",    "file",           "files",  "filename", "file_name",
        "file_path",   "filepath", "directory",      "dir",    "folder",   "source_path",
        "target_path", "old_path", "new_path",       "source", "target",   "destination",
        "root",        "cwd",      "directory_path", NULL };
static const char *const reeve_policy_constraints_domain_members[]
    = { "url",      "urls",   "uri",     "uris",     "endpoint", "host",   "hosts",
        "hostname", "domain", "domains", "base_url", "address",  "server", NULL };
static const char *const reeve_policy_constraints_operation_members[]
    = { "operation", "operations", "op", "method", "action", "verb", "mode", NULL };
static const char *const reeve_policy_constraints_command_members[]
    = { "command", "commands", "cmd",        "cmdline", "command_line", "script", "shell_command",
        "argv",    "program",  "executable", NULL };

static const char *const *const reeve_policy_constraints_members[] = {
  reeve_policy_constraints_path_members,
  reeve_policy_constraints_domain_members,
  reeve_policy_constraints_operation_members,
};

struct _ReevePolicyConstraints
{
  char **allowed[REEVE_POLICY_CONSTRAINTS_KINDS]; /* canonical; NULL: unconstrained */
  char **members[REEVE_POLICY_CONSTRAINTS_KINDS]; /* NULL: those known by name */
  guint rate;
  guint seconds;
};

/* ---- making ---- */

/**
 * reeve_policy_constraints_free:
 * @self: (transfer full): constraints
 */
void
reeve_policy_constraints_free (ReevePolicyConstraints *self)
{
  for (guint i = 0; i < REEVE_POLICY_CONSTRAINTS_KINDS; i++)
    {
      g_strfreev (self->allowed[i]);
      g_strfreev (self->members[i]);
    }
  g_free (self);
}

static char *
reeve_policy_constraints_canonical (ReevePolicyConstraintsKind kind, const char *text,
                                    gboolean pattern, GError **error)
{
  if (kind == REEVE_POLICY_CONSTRAINTS_PATHS)
    return reeve_policy_glob_path (text, error);
  if (kind == REEVE_POLICY_CONSTRAINTS_DOMAINS)
    return pattern ? reeve_policy_glob_domain_pattern (text, error)
                   : reeve_policy_glob_domain (text, error);
  return g_utf8_casefold (text, -1);
}

/* (transfer full): @kind -1: as they are */
static char **
reeve_policy_constraints_read (JsonObject *object, const char *member, int kind, GError **error)
{
  JsonNode *node = json_object_get_member (object, member);
  JsonArray *array = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (!JSON_NODE_HOLDS_ARRAY (node))
    {
      reeve_error_set_member (error, "", "not a list");
      reeve_error_prefix_member (error, "/%s", member);
      return NULL;
    }
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *item = json_array_get_element (array, i);
      const char *text
          = json_node_get_value_type (item) == G_TYPE_STRING ? json_node_get_string (item) : "";
      g_autofree char *canonical = NULL;

      if (*text == '\0' || strlen (text) > REEVE_POLICY_GLOB_LONGEST)
        reeve_error_set_member (error, "", "not a text of 1 to %d bytes",
                                REEVE_POLICY_GLOB_LONGEST);
      else
        canonical = kind < 0 ? g_strdup (text)
                             : reeve_policy_constraints_canonical (
                                 (ReevePolicyConstraintsKind) kind, text, TRUE, error);
      if (canonical == NULL)
        {
          reeve_error_prefix_member (error, "/%s/%u", member, i);
          return NULL;
        }
      g_strv_builder_add (builder, canonical);
    }
  return g_strv_builder_end (builder);
}

static gboolean
reeve_policy_constraints_read_rate (ReevePolicyConstraints *self, JsonObject *object,
                                    GError **error)
{
  static const struct
  {
    const char *word;
    guint seconds;
  } units[] = { { "second", 1 }, { "minute", 60 }, { "hour", 3600 }, { "day", 86400 } };
  const char *text = reeve_json_get_string (object, "rate_limit", "");
  const char *slash = strchr (text, '/');
  g_autofree char *number = slash != NULL ? g_strndup (text, (gsize) (slash - text)) : NULL;
  guint64 rate = 0;

  if (slash != NULL && g_ascii_string_to_unsigned (number, 10, 1, 1000000000, &rate, NULL))
    for (guint i = 0; i < G_N_ELEMENTS (units); i++)
      if (strcmp (slash + 1, units[i].word) == 0)
        {
          self->rate = (guint) rate;
          self->seconds = units[i].seconds;
          return TRUE;
        }
  reeve_error_set_member (error, "/rate_limit",
                          "not of the form 100/second, /minute, /hour or /day");
  return FALSE;
}

static gboolean
reeve_policy_constraints_read_all (ReevePolicyConstraints *self, JsonObject *object, GError **error)
{
  JsonObject *named = reeve_json_get_object (object, "arguments");

  for (int i = 0; i < REEVE_POLICY_CONSTRAINTS_KINDS; i++)
    {
      const char *word = reeve_policy_constraints_words[i];

      if (json_object_has_member (object, word))
        {
          self->allowed[i] = reeve_policy_constraints_read (object, word, i, error);
          if (self->allowed[i] == NULL)
            return FALSE;
        }
      if (named == NULL || !json_object_has_member (named, word))
        continue;
      self->members[i] = reeve_policy_constraints_read (named, word, -1, error);
      if (self->members[i] == NULL)
        {
          reeve_error_prefix_member (error, "/arguments");
          return FALSE;
        }
    }
  if (json_object_has_member (object, "arguments") && named == NULL)
    {
      reeve_error_set_member (error, "/arguments", "not an object");
      return FALSE;
    }
  return !json_object_has_member (object, "rate_limit")
         || reeve_policy_constraints_read_rate (self, object, error);
}

/**
 * reeve_policy_constraints_new:
 * @object: what may hold constraints
 * @error: return location: %REEVE_ERROR_INVALID_ARGUMENT with the path of the faulty member
 *
 * Returns: (transfer full) (nullable): the constraints; %NULL with an error, or without one when
 * there are none
 */
ReevePolicyConstraints *
reeve_policy_constraints_new (JsonObject *object, GError **error)
{
  g_autoptr (ReevePolicyConstraints) self = g_new0 (ReevePolicyConstraints, 1);
  gboolean any = FALSE;

  if (!reeve_policy_constraints_read_all (self, object, error))
    return NULL;
  for (guint i = 0; i < REEVE_POLICY_CONSTRAINTS_KINDS; i++)
    any = any || self->allowed[i] != NULL;
  return any || self->rate > 0 ? g_steal_pointer (&self) : NULL;
}

/**
 * reeve_policy_constraints_has_arguments:
 * @self: constraints
 *
 * Returns: whether they look at arguments
 */
gboolean
reeve_policy_constraints_has_arguments (const ReevePolicyConstraints *self)
{
  for (guint i = 0; i < REEVE_POLICY_CONSTRAINTS_KINDS; i++)
    if (self->allowed[i] != NULL)
      return TRUE;
  return FALSE;
}

/**
 * reeve_policy_constraints_get_rate:
 * @self: constraints
 * @seconds: (out): how long is counted
 *
 * Returns: how many calls; 0: any number
 */
guint
reeve_policy_constraints_get_rate (const ReevePolicyConstraints *self, guint *seconds)
{
  *seconds = self->seconds;
  return self->rate;
}

/* ---- checking ---- */

typedef gboolean (*ReevePolicyConstraintsFound) (const char *text, gpointer user_data);

static gboolean reeve_policy_constraints_walk (JsonObject *object, const char *const *members,
                                               guint depth, ReevePolicyConstraintsFound found,
                                               gpointer user_data);

/* Strings in @node, of lists too. What is named and is no text cannot be checked: FALSE. */
static gboolean
reeve_policy_constraints_take (JsonNode *node, ReevePolicyConstraintsFound found,
                               gpointer user_data)
{
  JsonArray *array = NULL;

  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (JSON_NODE_HOLDS_VALUE (node))
    return json_node_get_value_type (node) == G_TYPE_STRING
           && found (json_node_get_string (node), user_data);
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *item = json_array_get_element (array, i);

      if (json_node_get_value_type (item) != G_TYPE_STRING
          || !found (json_node_get_string (item), user_data))
        return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_policy_constraints_descend (JsonNode *node, const char *const *members, guint depth,
                                  ReevePolicyConstraintsFound found, gpointer user_data)
{
  if (depth > REEVE_POLICY_CONSTRAINTS_DEPTH)
    return FALSE;
  if (JSON_NODE_HOLDS_OBJECT (node))
    return reeve_policy_constraints_walk (json_node_get_object (node), members, depth, found,
                                          user_data);
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);

      for (guint i = 0; i < json_array_get_length (array); i++)
        if (!reeve_policy_constraints_descend (json_array_get_element (array, i), members,
                                               depth + 1, found, user_data))
          return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_policy_constraints_is_member (const char *const *members, const char *name)
{
  for (guint i = 0; members[i] != NULL; i++)
    if (g_ascii_strcasecmp (members[i], name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
reeve_policy_constraints_walk (JsonObject *object, const char *const *members, guint depth,
                               ReevePolicyConstraintsFound found, gpointer user_data)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *node = NULL;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &node))
    {
      gboolean named = reeve_policy_constraints_is_member (members, name);

      /* an object under such a name may hold another one deeper */
      if (named && !JSON_NODE_HOLDS_OBJECT (node))
        {
          if (!reeve_policy_constraints_take (node, found, user_data))
            return FALSE;
        }
      else if (!JSON_NODE_HOLDS_VALUE (node) && !JSON_NODE_HOLDS_NULL (node)
               && !reeve_policy_constraints_descend (node, members, depth + 1, found, user_data))
        return FALSE;
    }
  return TRUE;
}

typedef struct
{
  ReevePolicyConstraintsKind kind;
  char *const *allowed;
  guint seen;
  char *refused;
} ReevePolicyConstraintsCheck;

static gboolean
reeve_policy_constraints_fits (ReevePolicyConstraintsKind kind, const char *pattern,
                               const char *canonical)
{
  if (kind == REEVE_POLICY_CONSTRAINTS_PATHS)
    return reeve_policy_glob_match_path (pattern, canonical);
  if (kind == REEVE_POLICY_CONSTRAINTS_DOMAINS)
    return reeve_policy_glob_match_domain (pattern, canonical);
  return reeve_policy_glob_match (pattern, canonical);
}

static gboolean
reeve_policy_constraints_on_text (const char *text, gpointer user_data)
{
  ReevePolicyConstraintsCheck *check = user_data;
  g_autofree char *canonical
      = strlen (text) <= REEVE_POLICY_GLOB_LONGEST
            ? reeve_policy_constraints_canonical (check->kind, text, FALSE, NULL)
            : NULL;

  check->seen++;
  for (guint i = 0; canonical != NULL && check->allowed[i] != NULL; i++)
    if (reeve_policy_constraints_fits (check->kind, check->allowed[i], canonical))
      return TRUE;
  g_free (check->refused);
  check->refused = canonical != NULL ? g_steal_pointer (&canonical) : g_strdup (text);
  return FALSE;
}

static gboolean reeve_policy_constraints_keep (const char *name, JsonNode *node,
                                               const char *const *members, guint depth,
                                               ReevePolicyConstraintsCheck *check);

/* Of an object: its members, and their names where these are paths or addresses themselves. */
static gboolean
reeve_policy_constraints_keep_members (const char *name, JsonObject *object,
                                       const char *const *members, guint depth,
                                       ReevePolicyConstraintsCheck *check)
{
  JsonObjectIter iter;
  const char *member = NULL;
  JsonNode *node = NULL;
  gboolean paths = check->kind == REEVE_POLICY_CONSTRAINTS_PATHS;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &member, &node))
    if ((reeve_policy_arguments_looks_like (name, member, paths)
         && !reeve_policy_constraints_on_text (member, check))
        || !reeve_policy_constraints_keep (member, node, members, depth + 1, check))
      return FALSE;
  return TRUE;
}

/* Whatever else could be a path or an address, under any name: it must fit as well. */
static gboolean
reeve_policy_constraints_keep (const char *name, JsonNode *node, const char *const *members,
                               guint depth, ReevePolicyConstraintsCheck *check)
{
  JsonArray *array = NULL;

  if (depth > REEVE_POLICY_CONSTRAINTS_DEPTH)
    return FALSE;
  if (JSON_NODE_HOLDS_OBJECT (node))
    return reeve_policy_constraints_keep_members (name, json_node_get_object (node), members, depth,
                                                  check);
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    {
      const char *text = json_node_get_string (node);

      if (reeve_policy_constraints_is_member (members, name)
          || !(check->kind == REEVE_POLICY_CONSTRAINTS_PATHS
                   ? reeve_policy_arguments_may_be_path (name, text)
                   : reeve_policy_arguments_may_be_address (name, text)))
        return TRUE;
      return reeve_policy_constraints_on_text (text, check);
    }
  array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    if (!reeve_policy_constraints_keep (name, json_array_get_element (array, i), members, depth + 1,
                                        check))
      return FALSE;
  return TRUE;
}

/* Those that are known by name, of which there is to be one; then, unless the policy says which
 * they are, all that could be one. */
static gboolean
reeve_policy_constraints_hold (const ReevePolicyConstraints *self, JsonObject *arguments,
                               ReevePolicyConstraintsCheck *check)
{
  gboolean given = self->members[check->kind] != NULL;
  const char *const *members = given ? (const char *const *) self->members[check->kind]
                                     : reeve_policy_constraints_members[check->kind];

  if (!reeve_policy_constraints_walk (arguments, members, 0, reeve_policy_constraints_on_text,
                                      check)
      || check->seen == 0)
    return FALSE;
  return given || check->kind == REEVE_POLICY_CONSTRAINTS_OPERATIONS
         || reeve_policy_constraints_keep_members ("", arguments, members, 0, check);
}

/**
 * reeve_policy_constraints_check:
 * @self: constraints
 * @arguments: of a call
 * @detail: (out) (transfer full) (nullable) (optional): what was asked for
 *
 * Returns: (nullable): the word of the constraint that is broken; %NULL when all hold
 */
const char *
reeve_policy_constraints_check (const ReevePolicyConstraints *self, JsonObject *arguments,
                                char **detail)
{
  for (guint i = 0; i < REEVE_POLICY_CONSTRAINTS_KINDS; i++)
    {
      ReevePolicyConstraintsCheck check
          = { .kind = (ReevePolicyConstraintsKind) i, .allowed = self->allowed[i] };

      if (self->allowed[i] == NULL || reeve_policy_constraints_hold (self, arguments, &check))
        continue;
      if (detail != NULL)
        *detail = check.refused;
      else
        g_free (check.refused);
      return reeve_policy_constraints_words[i];
    }
  return NULL;
}

/* ---- targets ---- */

typedef struct
{
  ReevePolicyConstraintsTarget found;
  gpointer user_data;
  guint kind;
} ReevePolicyConstraintsTargets;

static gboolean
reeve_policy_constraints_on_target (const char *text, gpointer user_data)
{
  ReevePolicyConstraintsTargets *targets = user_data;
  g_autofree char *canonical
      = targets->kind == REEVE_POLICY_CONSTRAINTS_PATHS     ? reeve_policy_glob_path (text, NULL)
        : targets->kind == REEVE_POLICY_CONSTRAINTS_DOMAINS ? reeve_policy_glob_domain (text, NULL)
                                                            : NULL;
  const char *target = canonical != NULL ? canonical : text;
  ReevePolicyTarget traits
      = canonical != NULL ? REEVE_POLICY_TARGET_CERTAIN : REEVE_POLICY_TARGET_DOUBTFUL;

  if (targets->kind == REEVE_POLICY_CONSTRAINTS_KINDS)
    {
      gboolean plain = reeve_policy_arguments_is_plain_command (text);

      traits = REEVE_POLICY_TARGET_COMMAND | (plain ? 0 : REEVE_POLICY_TARGET_DOUBTFUL);
      if (strpbrk (text, ";|&`$()<>\\\"'\n\r") == NULL && strstr (text, "..") == NULL)
        traits |= REEVE_POLICY_TARGET_CERTAIN;
      targets->found (text, traits, targets->user_data);
      return TRUE;
    }
  while (*target == '/')
    target++;
  targets->found (target, traits, targets->user_data);
  return TRUE;
}

/**
 * reeve_policy_constraints_targets:
 * @arguments: of a call
 * @found: called for each
 * @user_data: for @found
 *
 * What a call is about: paths without a leading separator, domains, commands.
 */
void
reeve_policy_constraints_targets (JsonObject *arguments, ReevePolicyConstraintsTarget found,
                                  gpointer user_data)
{
  static const struct
  {
    guint kind;
    const char *const *members;
  } rows[] = {
    { REEVE_POLICY_CONSTRAINTS_PATHS, reeve_policy_constraints_path_members },
    { REEVE_POLICY_CONSTRAINTS_DOMAINS, reeve_policy_constraints_domain_members },
    { REEVE_POLICY_CONSTRAINTS_KINDS, reeve_policy_constraints_command_members },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      ReevePolicyConstraintsTargets targets
          = { .found = found, .user_data = user_data, .kind = rows[i].kind };

      if (!reeve_policy_constraints_walk (arguments, rows[i].members, 0,
                                          reeve_policy_constraints_on_target, &targets))
        found ("",
               REEVE_POLICY_TARGET_DOUBTFUL
                   | (rows[i].kind == REEVE_POLICY_CONSTRAINTS_KINDS ? REEVE_POLICY_TARGET_COMMAND
                                                                     : 0),
               user_data); /* something that cannot be read */
    }
}
