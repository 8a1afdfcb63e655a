/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line for each thing; what a host or a document says never moves the cursor. */
#include "cli-policy-print.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/plain.h"

#include "cli-policy-diff.h"

static void reeve_cli_policy_print_line (const char *format, ...) G_GNUC_PRINTF (1, 2);

static void
reeve_cli_policy_print_line (const char *format, ...)
{
  va_list arguments;
  g_autofree char *text = NULL;
  g_autofree char *valid = NULL;
  g_autofree char *line = NULL;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  valid = g_utf8_make_valid (text, -1);
  line = reeve_plain_make_line (valid);
  g_print ("%s\n", line);
}

/* ---- changes ---- */

/* (transfer full): which policy a change is of */
static char *
reeve_cli_policy_print_name (JsonObject *change)
{
  const char *id = reeve_json_get_string (change, "agent_id", NULL);
  const char *agent = reeve_json_get_string (change, "agent", id);

  if (id == NULL)
    return g_strdup (_ ("organisation"));
  return strcmp (id, agent) == 0 ? g_strdup_printf (_ ("agent %s"), id)
                                 : g_strdup_printf (_ ("agent %s (%s)"), agent, id);
}

static void
reeve_cli_policy_print_change (JsonObject *change, gboolean lines)
{
  g_autofree char *name = reeve_cli_policy_print_name (change);
  g_autofree char *diff = NULL;
  g_autofree char *shown = NULL;

  reeve_cli_policy_print_line ("%-8s %s", reeve_json_get_string (change, "change", "?"), name);
  if (!lines)
    return;
  diff = reeve_cli_policy_diff_new (reeve_json_get_object (change, "before"),
                                    reeve_json_get_object (change, "after"));
  shown = reeve_plain_make_text (diff);
  g_print ("%s", shown);
}

/**
 * reeve_cli_policy_print_changes:
 * @answer: {revision, changed, dry_run?, changes[]}
 * @lines: whether to show what differs
 */
void
reeve_cli_policy_print_changes (JsonObject *answer, gboolean lines)
{
  JsonArray *changes = reeve_json_get_array (answer, "changes");
  gint64 revision = reeve_json_get_int (answer, "revision", 0);

  for (guint i = 0; changes != NULL && i < json_array_get_length (changes); i++)
    reeve_cli_policy_print_change (json_array_get_object_element (changes, i), lines);
  if (!reeve_json_get_boolean (answer, "changed", FALSE))
    g_print (_ ("nothing to change: revision %" G_GINT64_FORMAT "\n"), revision);
  else if (reeve_json_get_boolean (answer, "dry_run", lines))
    g_print (_ ("nothing was changed: revision %" G_GINT64_FORMAT "\n"), revision);
  else
    g_print (_ ("applied: revision %" G_GINT64_FORMAT "\n"), revision);
}

/* ---- decisions ---- */

static const char *
reeve_cli_policy_print_agent (JsonObject *entry)
{
  return reeve_json_get_string (entry, "agent_id", _ ("every other agent"));
}

static void
reeve_cli_policy_print_decision (JsonObject *entry)
{
  JsonObject *rule = reeve_json_get_object (entry, "rule_after");
  const char *glob = reeve_json_get_string (entry, "witness_of", NULL);

  reeve_cli_policy_print_line (
      "  %s: %s%s%s%s: %s (%s, %s)", reeve_cli_policy_print_agent (entry),
      reeve_json_get_string (entry, "tool", "?"), glob != NULL ? _ (", one of ") : "",
      glob != NULL ? glob : "",
      reeve_json_get_boolean (entry, "known", FALSE) || glob != NULL ? "" : _ (" (not installed)"),
      reeve_json_get_string (entry, "reason", "?"), reeve_json_get_string (rule, "source", "?"),
      reeve_json_get_string (rule, "rule", "?"));
}

static void
reeve_cli_policy_print_list (JsonObject *answer, const char *member, const char *title)
{
  JsonArray *list = reeve_json_get_array (answer, member);

  if (list == NULL || json_array_get_length (list) == 0)
    return;
  g_print ("%s\n", title);
  for (guint i = 0; i < json_array_get_length (list); i++)
    reeve_cli_policy_print_decision (json_array_get_object_element (list, i));
}

static void
reeve_cli_policy_print_limits (JsonObject *answer)
{
  JsonArray *limits = reeve_json_get_array (answer, "limits");
  JsonArray *conditions = reeve_json_get_array (answer, "conditions");

  for (guint i = 0; limits != NULL && i < json_array_get_length (limits); i++)
    {
      JsonObject *entry = json_array_get_object_element (limits, i);

      reeve_cli_policy_print_line (
          _ ("limit %s of %s: %" G_GINT64_FORMAT " -> %" G_GINT64_FORMAT),
          reeve_json_get_string (entry, "limit", "?"), reeve_cli_policy_print_agent (entry),
          reeve_json_get_int (entry, "before", 0), reeve_json_get_int (entry, "after", 0));
    }
  for (guint i = 0; conditions != NULL && i < json_array_get_length (conditions); i++)
    {
      JsonObject *entry = json_array_get_object_element (conditions, i);

      reeve_cli_policy_print_line (_ ("other %s for %s: %s"),
                                   reeve_json_get_string (entry, "what", "?"),
                                   reeve_cli_policy_print_agent (entry),
                                   reeve_json_get_string (entry, "tool", _ ("calls by arguments")));
    }
}

/**
 * reeve_cli_policy_print_decisions:
 * @answer: what policies.analyze says of a draft
 */
void
reeve_cli_policy_print_decisions (JsonObject *answer)
{
  reeve_cli_policy_print_list (answer, "newly_allowed", _ ("newly allowed:"));
  reeve_cli_policy_print_list (answer, "newly_approval_required", _ ("newly needs approval:"));
  reeve_cli_policy_print_list (answer, "newly_denied", _ ("newly denied:"));
  reeve_cli_policy_print_limits (answer);
  if (!reeve_json_get_boolean (answer, "complete", TRUE))
    g_print ("%s\n", _ ("there is more than is shown"));
}

/* ---- access ---- */

/* (transfer full): custom:lead -> developer: agent:* */
static char *
reeve_cli_policy_print_chain (JsonObject *chain)
{
  JsonArray *roles = reeve_json_get_array (chain, "roles");
  GString *text = g_string_new (NULL);

  for (guint i = 0; roles != NULL && i < json_array_get_length (roles); i++)
    g_string_append_printf (text, "%s%s", i > 0 ? " -> " : "",
                            json_array_get_string_element (roles, i));
  g_string_append_printf (text, ": %s", reeve_json_get_string (chain, "grants", "?"));
  return g_string_free (text, FALSE);
}

static void
reeve_cli_policy_print_overrides (JsonArray *overrides, const char *word)
{
  for (guint i = 0; overrides != NULL && i < json_array_get_length (overrides); i++)
    {
      JsonObject *override = json_array_get_object_element (overrides, i);

      reeve_cli_policy_print_line ("  %s %s: %s %s (%s)", word,
                                   reeve_json_get_string (override, "subject", "?"),
                                   reeve_json_get_string (override, "resource_type", "?"),
                                   reeve_json_get_string (override, "resource_id", "?"),
                                   reeve_json_get_string (override, "override_id", "?"));
    }
}

static void
reeve_cli_policy_print_role (JsonObject *role)
{
  JsonObject *chain = reeve_json_get_object (role, "chain");
  g_autofree char *way = chain != NULL ? reeve_cli_policy_print_chain (chain) : NULL;

  reeve_cli_policy_print_line ("%-14s %s%s%s%s", reeve_json_get_string (role, "verdict", "?"),
                               reeve_json_get_string (role, "role", "?"), way != NULL ? " (" : "",
                               way != NULL ? way : "", way != NULL ? ")" : "");
  reeve_cli_policy_print_overrides (reeve_json_get_array (role, "overrides"), _ ("allowed"));
  reeve_cli_policy_print_overrides (reeve_json_get_array (role, "except"), _ ("denied"));
}

/**
 * reeve_cli_policy_print_access:
 * @access: what policies.analyze says of an operation
 */
void
reeve_cli_policy_print_access (JsonObject *access)
{
  JsonArray *roles = reeve_json_get_array (access, "roles");
  JsonArray *elevations = reeve_json_get_array (access, "elevations");

  reeve_cli_policy_print_line (_ ("%s: %s, permission %s"),
                               reeve_json_get_string (access, "operation", "?"),
                               reeve_json_get_string (access, "answer", "?"),
                               reeve_json_get_string (access, "permission", _ ("none")));
  for (guint i = 0; roles != NULL && i < json_array_get_length (roles); i++)
    reeve_cli_policy_print_role (json_array_get_object_element (roles, i));
  for (guint i = 0; elevations != NULL && i < json_array_get_length (elevations); i++)
    {
      JsonObject *elevation = json_array_get_object_element (elevations, i);

      reeve_cli_policy_print_line (_ ("by elevation   user %s as %s until %s (%s)"),
                                   reeve_json_get_string (elevation, "user_id", "?"),
                                   reeve_json_get_string (elevation, "role", "?"),
                                   reeve_json_get_string (elevation, "until", "?"),
                                   reeve_json_get_string (elevation, "elevation_id", "?"));
    }
  reeve_cli_policy_print_overrides (reeve_json_get_array (access, "user_overrides"), _ ("allowed"));
}
