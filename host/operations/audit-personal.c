/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A value that cannot be opened hides no record: its state says why. */
#include "audit-personal.h"

#include <string.h>

static const char *
reeve_audit_personal_name (ReeveKeptState state)
{
  switch (state)
    {
    case REEVE_KEPT_READABLE:
      return "kept";
    case REEVE_KEPT_ERASED:
      return "erased";
    case REEVE_KEPT_MISSING:
    default:
      return "missing";
    }
}

/* Its state; *text: (transfer full) where it can be read. */
static const char *
reeve_audit_personal_open (ReeveKeptValues *values, const char *scope, JsonObject *record,
                           const char *digest, char **text)
{
  ReeveKeptState state = REEVE_KEPT_MISSING;
  g_autoptr (GError) error = NULL;

  if (reeve_kept_values_open (values, scope, digest, &state, text, &error))
    return reeve_audit_personal_name (state);
  g_warning ("record %" G_GINT64_FORMAT " of %s: %s", reeve_json_get_int (record, "seq", 0), scope,
             error->message);
  return "damaged";
}

static void
reeve_audit_personal_add_address (ReeveKeptValues *values, const char *scope, JsonObject *record,
                                  const char *digest)
{
  JsonObject *actor = reeve_json_get_object (record, "actor");
  g_autofree char *text = NULL;
  const char *state = reeve_audit_personal_open (values, scope, record, digest, &text);

  if (actor == NULL)
    return;
  json_object_set_string_member (actor, "ip_state", state);
  json_object_remove_member (actor, "ip");
  if (text != NULL)
    json_object_set_string_member (actor, "ip", text);
}

/* What reeve_kept_values_describe() wrote, under the names of the view. */
static void
reeve_audit_personal_fill_body (JsonObject *shown, const char *text)
{
  static const struct
  {
    const char *from;
    const char *to;
  } names[] = { { "body", "value" }, { "text", "text" }, { "digest", "digest" } };
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), NULL);
  JsonObject *kept
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  for (guint i = 0; kept != NULL && i < G_N_ELEMENTS (names); i++)
    if (json_object_has_member (kept, names[i].from))
      json_object_set_member (shown, names[i].to,
                              json_node_copy (json_object_get_member (kept, names[i].from)));
}

static void
reeve_audit_personal_add_body (ReeveKeptValues *values, const char *scope, JsonObject *record,
                               const char *member, const char *digest)
{
  JsonObject *shown = json_object_new ();
  g_autofree char *text = NULL;

  json_object_set_string_member (shown, "state",
                                 reeve_audit_personal_open (values, scope, record, digest, &text));
  if (text != NULL)
    reeve_audit_personal_fill_body (shown, text);
  json_object_set_object_member (record, member, shown);
}

/* What was asked, in the place of its digest. */
static void
reeve_audit_personal_add_parameters (JsonObject *record)
{
  JsonObject *details = reeve_json_get_object (record, "details");
  JsonObject *body = reeve_json_get_object (record, "body");

  if (details == NULL || body == NULL || !json_object_has_member (body, "value"))
    return;
  json_object_set_member (details, "input",
                          json_node_copy (json_object_get_member (body, "value")));
  json_object_set_member (record, "parameters",
                          json_node_copy (json_object_get_member (body, "value")));
}

/**
 * reeve_audit_personal_add:
 * @values: what is kept
 * @scope: whose log
 * @record: a record of it as it is shown outside
 *
 * Blocks.
 */
void
reeve_audit_personal_add (ReeveKeptValues *values, const char *scope, JsonObject *record)
{
  const char *address = reeve_json_get_string (record, "address", NULL);
  const char *state = reeve_json_get_string (record, "state_digest", NULL);
  const char *kind = reeve_json_get_string (record, "kind", "");
  const char *output = reeve_json_get_string (record, "output_digest", NULL);
  gboolean outcome = strcmp (kind, "outcome") == 0;
  const char *body = outcome ? output : reeve_json_get_string (record, "input_digest", NULL);
  gboolean kept = reeve_json_get_int (record, "kept", 0) != 0;

  if (address != NULL)
    reeve_audit_personal_add_address (values, scope, record, address);
  if (kept && body != NULL)
    reeve_audit_personal_add_body (values, scope, record, "body", body);
  if (kept && body != NULL && !outcome)
    reeve_audit_personal_add_parameters (record);
  if (kept && output != NULL && strcmp (kind, "read") == 0)
    reeve_audit_personal_add_body (values, scope, record, "output", output);
  if (kept && state != NULL)
    reeve_audit_personal_add_body (values, scope, record, "state", state);
}
