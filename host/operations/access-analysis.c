/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Read from what the gate reads: the table of operations, the role book, overrides, elevations. A
 * role can do something always, on some things by an override, or never; somebody who has it may
 * besides be the platform admin or be raised for a time. What a key, a network or a workspace takes
 * away again is not looked at: the answer is what could be. */
#include "access-analysis.h"

#include <string.h>

#include "base/times.h"
#include "governance/auditors.h"
#include "governance/directory.h"
#include "governance/role-chain.h"

#include "services.h"

typedef struct
{
  ReeveServices *services;
  const char *tenant_id;
  const ReeveAccessAnalysisQuestion *question;
  const ReeveOperation *operation; /* (nullable): it is about a permission */
  const char *permission;          /* (nullable): none is needed */
  ReevePermissions wanted;
  gboolean platform; /* it takes the platform admin */
  JsonArray *roles;  /* of the book */
  GPtrArray *overrides;
  GPtrArray *elevations;
} ReeveAccessAnalysis;

static void
reeve_access_analysis_clear (ReeveAccessAnalysis *self)
{
  g_clear_pointer (&self->roles, json_array_unref);
  g_clear_pointer (&self->overrides, g_ptr_array_unref);
  g_clear_pointer (&self->elevations, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveAccessAnalysis, reeve_access_analysis_clear)

/* ---- the question ---- */

static gboolean
reeve_access_analysis_find_operation (ReeveAccessAnalysis *self, GError **error)
{
  const char *name = self->question->operation;

  self->operation = reeve_operation_find (name);
  if (self->operation != NULL)
    {
      self->permission = self->operation->permission;
      self->platform = (self->operation->flags & REEVE_OPERATION_PLATFORM_ADMIN) != 0;
    }
  else if (strchr (name, '*') == NULL && reeve_roles_match (name) != 0)
    self->permission = name;
  else
    {
      reeve_error_set_member (error, "/operation", "there is no operation or permission %s", name);
      return FALSE;
    }
  self->wanted = self->permission != NULL ? reeve_roles_match (self->permission) : 0;
  return TRUE;
}

static gboolean
reeve_access_analysis_has_role (ReeveAccessAnalysis *self, const char *role_id)
{
  for (guint i = 0; i < json_array_get_length (self->roles); i++)
    if (g_strcmp0 (
            reeve_json_get_string (json_array_get_object_element (self->roles, i), "role_id", NULL),
            role_id)
        == 0)
      return TRUE;
  return FALSE;
}

static gboolean
reeve_access_analysis_read (ReeveAccessAnalysis *self, GError **error)
{
  ReeveStore *store = self->services->store;

  self->roles = reeve_role_book_list (self->services->role_book, self->tenant_id, error);
  if (self->roles == NULL)
    return FALSE;
  if (self->question->role != NULL && !reeve_access_analysis_has_role (self, self->question->role))
    {
      reeve_error_set_member (error, "/role", "there is no role %s", self->question->role);
      return FALSE;
    }
  self->overrides
      = reeve_directory_read_all (store, self->tenant_id, REEVE_STORE_OVERRIDES, NULL, NULL, error);
  if (self->overrides == NULL)
    return FALSE;
  self->elevations = reeve_directory_read_all (store, self->tenant_id, REEVE_STORE_ELEVATIONS, NULL,
                                               NULL, error);
  return self->elevations != NULL;
}

/* ---- overrides ---- */

static gboolean
reeve_access_analysis_takes_agent (const ReeveOperation *operation)
{
  for (const ReeveParameter *p = operation->parameters; p->name != NULL; p++)
    if (strcmp (p->name, "agent_id") == 0)
      return TRUE;
  return FALSE;
}

/* Can the override be about something that the operation is done on? */
static gboolean
reeve_access_analysis_is_about (ReeveAccessAnalysis *self, JsonObject *fields)
{
  const char *type = reeve_json_get_string (fields, "resource_type", "");
  g_auto (GStrv) permissions = reeve_directory_get_strings (fields, "permissions");

  if (self->wanted == 0
      || (reeve_roles_match_all ((const char *const *) permissions) & self->wanted) != self->wanted)
    return FALSE;
  if (self->question->resource_type != NULL && strcmp (type, self->question->resource_type) != 0)
    return FALSE;
  return self->operation == NULL
         || (self->operation->resource_parameter != NULL
             && g_strcmp0 (type, self->operation->resource_type) == 0)
         || (strcmp (type, "agent") == 0 && reeve_access_analysis_takes_agent (self->operation));
}

static JsonObject *
reeve_access_analysis_show_override (ReeveRecord *record)
{
  static const char *const members[]
      = { "subject", "effect", "resource_type", "resource_id", "permissions" };
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "override_id", reeve_record_get_id (record));
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (reeve_record_get_fields (record), shown, members[i]);
  return shown;
}

/* (transfer full): those of @effect whose subject is one of @subjects; NULL: of any user */
static JsonArray *
reeve_access_analysis_list_overrides (ReeveAccessAnalysis *self, const char *effect,
                                      GPtrArray *subjects)
{
  JsonArray *found = json_array_new ();

  for (guint i = 0; i < self->overrides->len; i++)
    {
      ReeveRecord *record = g_ptr_array_index (self->overrides, i);
      JsonObject *fields = reeve_record_get_fields (record);
      const char *subject = reeve_json_get_string (fields, "subject", "");
      gboolean concerned = subjects != NULL
                               ? g_str_has_prefix (subject, "role:")
                                     && g_ptr_array_find_with_equal_func (
                                         subjects, subject + strlen ("role:"), g_str_equal, NULL)
                               : g_str_has_prefix (subject, "user:");

      if (concerned && g_strcmp0 (reeve_json_get_string (fields, "effect", ""), effect) == 0
          && reeve_access_analysis_is_about (self, fields))
        json_array_add_object_element (found, reeve_access_analysis_show_override (record));
    }
  return found;
}

/* ---- roles ---- */

/* Who audits is raised to nothing but reading. */
static gboolean
reeve_access_analysis_is_bound (ReeveAccessAnalysis *self, const char *const *roles,
                                gboolean *bound, GError **error)
{
  gboolean audits = FALSE;
  ReevePermissions held = 0;

  if (!reeve_auditors_judge (self->services->role_book, self->tenant_id, roles, &audits, &held,
                             error))
    return FALSE;
  *bound = audits && (self->wanted & ~reeve_roles_reading ()) != 0
           && reeve_role_book_is_enabled (self->services->role_book);
  return TRUE;
}

static void
reeve_access_analysis_set_list (JsonObject *shown, const char *member, JsonArray *list)
{
  if (json_array_get_length (list) > 0)
    json_object_set_array_member (shown, member, list);
  else
    json_array_unref (list);
}

/* What the role alone does: whether it needs nothing, holds the permission, or has it somewhere. */
static const char *
reeve_access_analysis_judge (ReeveAccessAnalysis *self, const char *role_id, JsonObject *shown,
                             GError **error)
{
  const char *const one[] = { role_id, NULL };
  g_autoptr (GPtrArray) contained = g_ptr_array_new_with_free_func (g_free);
  JsonObject *chain = NULL;
  gboolean bound = FALSE;

  if (self->operation != NULL && (self->operation->flags & REEVE_OPERATION_PUBLIC) != 0)
    return "always";
  if (self->platform || strcmp (role_id, REEVE_ROLES_SUPER) == 0)
    return "platform_admin";
  if (self->permission == NULL)
    return "always";
  if (!reeve_access_analysis_is_bound (self, one, &bound, error)
      || !reeve_role_book_add_contained (self->services->role_book, self->tenant_id, one, contained,
                                         error))
    return NULL;
  reeve_access_analysis_set_list (shown, "except",
                                  reeve_access_analysis_list_overrides (self, "deny", contained));
  if (!reeve_role_book_is_enabled (self->services->role_book))
    return "always";
  chain = reeve_role_chain_find (self->roles, role_id, self->permission);
  if (chain != NULL)
    {
      json_object_set_object_member (shown, "chain", chain);
      return "always";
    }
  if (!bound)
    reeve_access_analysis_set_list (
        shown, "overrides", reeve_access_analysis_list_overrides (self, "allow", contained));
  return json_object_has_member (shown, "overrides") ? "somewhere" : "never";
}

static JsonArray *
reeve_access_analysis_list_roles (ReeveAccessAnalysis *self, GError **error)
{
  g_autoptr (JsonArray) list = json_array_new ();

  for (guint i = 0; i < json_array_get_length (self->roles); i++)
    {
      const char *role_id
          = reeve_json_get_string (json_array_get_object_element (self->roles, i), "role_id", "");
      JsonObject *shown = NULL;
      const char *verdict = NULL;

      if (self->question->role != NULL && strcmp (role_id, self->question->role) != 0)
        continue;
      shown = json_object_new ();
      json_array_add_object_element (list, shown);
      json_object_set_string_member (shown, "role", role_id);
      verdict = reeve_access_analysis_judge (self, role_id, shown, error);
      if (verdict == NULL)
        return NULL;
      json_object_set_string_member (shown, "verdict", verdict);
    }
  return g_steal_pointer (&list);
}

/* ---- elevations ---- */

/* Is somebody with the role asked about raised so, and does that help? */
static gboolean
reeve_access_analysis_judge_elevation (ReeveAccessAnalysis *self, JsonObject *fields,
                                       gboolean *helps, GError **error)
{
  const char *raised = reeve_json_get_string (fields, "role", "");
  g_autoptr (JsonObject) chain = self->permission != NULL
                                     ? reeve_role_chain_find (self->roles, raised, self->permission)
                                     : NULL;
  g_autoptr (ReeveRecord) user = NULL;
  g_auto (GStrv) roles = NULL;
  gboolean bound = FALSE;
  g_autoptr (GError) local = NULL;

  *helps = FALSE;
  if (chain == NULL || self->platform
      || reeve_json_get_int (fields, "until", 0) <= reeve_times_now ()
      || reeve_json_get_int (fields, "revoked_at", 0) != 0)
    return TRUE;
  user = reeve_store_get (self->services->store, self->tenant_id, REEVE_STORE_USERS,
                          reeve_json_get_string (fields, "user_id", ""), &local);
  if (user == NULL)
    {
      if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  roles = reeve_directory_get_strings (reeve_record_get_fields (user), "roles");
  if (!reeve_access_analysis_is_bound (self, (const char *const *) roles, &bound, error))
    return FALSE;
  *helps = !bound
           && (self->question->role == NULL
               || g_strv_contains ((const char *const *) roles, self->question->role));
  return TRUE;
}

static JsonArray *
reeve_access_analysis_list_elevations (ReeveAccessAnalysis *self, GError **error)
{
  static const char *const members[] = { "user_id", "role" };
  g_autoptr (JsonArray) list = json_array_new ();

  for (guint i = 0; i < self->elevations->len; i++)
    {
      ReeveRecord *record = g_ptr_array_index (self->elevations, i);
      JsonObject *fields = reeve_record_get_fields (record);
      JsonObject *shown = NULL;
      gboolean helps = FALSE;

      if (!reeve_access_analysis_judge_elevation (self, fields, &helps, error))
        return NULL;
      if (!helps)
        continue;
      shown = json_object_new ();
      json_object_set_string_member (shown, "elevation_id", reeve_record_get_id (record));
      for (guint k = 0; k < G_N_ELEMENTS (members); k++)
        reeve_directory_copy (fields, shown, members[k]);
      reeve_directory_show_time (fields, shown, "until");
      json_array_add_object_element (list, shown);
    }
  return g_steal_pointer (&list);
}

/* ---- the answer ---- */

/* The strongest word that is true of a role. */
static const char *
reeve_access_analysis_sum_up (JsonArray *roles, JsonArray *elevations)
{
  static const char *const verdicts[] = { "never", "platform_admin", "somewhere", "always" };
  static const char *const words[] = { "no", "platform_admin", "somewhere", "yes" };
  guint best = 0;

  for (guint i = 0; i < json_array_get_length (roles); i++)
    for (guint k = 0; k < G_N_ELEMENTS (verdicts); k++)
      if (g_strcmp0 (
              reeve_json_get_string (json_array_get_object_element (roles, i), "verdict", ""),
              verdicts[k])
          == 0)
        best = MAX (best, k);
  if (best < 2 && json_array_get_length (elevations) > 0)
    return "by_elevation";
  return words[best];
}

static JsonObject *
reeve_access_analysis_answer (ReeveAccessAnalysis *self, JsonArray *roles, JsonArray *elevations)
{
  JsonObject *answer = json_object_new ();

  json_object_set_string_member (answer, "operation", self->question->operation);
  if (self->permission != NULL)
    json_object_set_string_member (answer, "permission", self->permission);
  else
    json_object_set_null_member (answer, "permission");
  json_object_set_boolean_member (answer, "platform_admin_only", self->platform);
  json_object_set_string_member (answer, "answer",
                                 reeve_access_analysis_sum_up (roles, elevations));
  json_object_set_array_member (answer, "roles", json_array_ref (roles));
  json_object_set_array_member (answer, "elevations", json_array_ref (elevations));
  json_object_set_array_member (answer, "user_overrides",
                                self->platform
                                    ? json_array_new ()
                                    : reeve_access_analysis_list_overrides (self, "allow", NULL));
  return answer;
}

/**
 * reeve_access_analysis_run:
 * @services: services
 * @tenant_id: whose roles
 * @question: what is asked
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full): who can; %NULL with %REEVE_ERROR_INVALID_ARGUMENT and the member
 */
JsonObject *
reeve_access_analysis_run (ReeveServices *services, const char *tenant_id,
                           const ReeveAccessAnalysisQuestion *question, GError **error)
{
  g_auto (ReeveAccessAnalysis) self
      = { .services = services, .tenant_id = tenant_id, .question = question };
  g_autoptr (JsonArray) roles = NULL;
  g_autoptr (JsonArray) elevations = NULL;

  if (!reeve_access_analysis_find_operation (&self, error)
      || !reeve_access_analysis_read (&self, error))
    return NULL;
  roles = reeve_access_analysis_list_roles (&self, error);
  elevations = roles != NULL ? reeve_access_analysis_list_elevations (&self, error) : NULL;
  return elevations != NULL ? reeve_access_analysis_answer (&self, roles, elevations) : NULL;
}
