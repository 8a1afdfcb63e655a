/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin cannot ask about anybody else: whose claims these are is the context's to say, which the
 * host made. What is kept of a person is read at each call, so a change is seen by the next. */
#include "plugin-identity.h"

#include <string.h>

#define REEVE_PLUGIN_IDENTITY_MAX        64 /* claims of one question */
#define REEVE_PLUGIN_IDENTITY_ATTRIBUTES "attributes."

/* What a grant gives that names no claims: what a plugin is told anyway, and a name to show. */
static const char *const reeve_plugin_identity_usual[]
    = { "tenant_id", "user_id", "agent_id", "run_id", "roles", "workspaces", "username", NULL };
/* Those that there are besides, with `attributes.NAME` */
static const char *const reeve_plugin_identity_more[] = { "email", "kind", NULL };

/* one question */
typedef struct
{
  const ReeveCapabilityCaller *caller;
  JsonObject *user; /* (nullable): the record of who calls */
  guint64 mask;     /* grants that any of it rests on */
} ReevePluginIdentity;

static gboolean
reeve_plugin_identity_is_claim (const char *name)
{
  return g_strv_contains (reeve_plugin_identity_usual, name)
         || g_strv_contains (reeve_plugin_identity_more, name)
         || (g_str_has_prefix (name, REEVE_PLUGIN_IDENTITY_ATTRIBUTES)
             && name[strlen (REEVE_PLUGIN_IDENTITY_ATTRIBUTES)] != '\0');
}

/* (nullable) @claims: what a grant names; `attributes.*` stands for all of them */
static gboolean
reeve_plugin_identity_gives (const char *const *claims, const char *name)
{
  if (claims == NULL)
    return g_strv_contains (reeve_plugin_identity_usual, name);
  return g_strv_contains (claims, name)
         || (g_str_has_prefix (name, REEVE_PLUGIN_IDENTITY_ATTRIBUTES)
             && g_strv_contains (claims, REEVE_PLUGIN_IDENTITY_ATTRIBUTES "*"));
}

/* Is that claim granted? Then it counts on what it rests on. */
static gboolean
reeve_plugin_identity_allows (ReevePluginIdentity *self, const char *name)
{
  ReeveCapabilityLease *lease = self->caller->lease;
  const ReeveCapabilityTerms *ceiling = NULL;
  guint64 mask = 0;

  if (lease == NULL)
    return TRUE;
  ceiling = reeve_capability_lease_get_ceiling (lease);
  if (ceiling != NULL && ceiling->claims != NULL
      && !reeve_plugin_identity_gives ((const char *const *) ceiling->claims, name))
    return FALSE;
  for (guint i = 0; i < reeve_capability_lease_get_length (lease); i++)
    if (reeve_plugin_identity_gives (
            (const char *const *) reeve_capability_lease_get_terms (lease, i)->claims, name))
      mask |= G_GUINT64_CONSTANT (1) << i;
  self->mask |= mask;
  return mask != 0;
}

/* ---- what the claims are ---- */

/* (transfer full) */
static JsonNode *
reeve_plugin_identity_text (const char *text)
{
  JsonNode *node = json_node_alloc ();

  return text != NULL ? json_node_init_string (node, text) : json_node_init_null (node);
}

/* (transfer full): none is an empty list */
static JsonNode *
reeve_plugin_identity_texts (const char *const *texts)
{
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();

  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    json_array_add_string_element (array, texts[i]);
  json_node_take_array (node, array);
  return node;
}

/* (transfer full): of the record, or null */
static JsonNode *
reeve_plugin_identity_member (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL ? json_node_copy (node) : json_node_init_null (json_node_alloc ());
}

/* (transfer full) */
static JsonNode *
reeve_plugin_identity_get (ReevePluginIdentity *self, const char *name)
{
  ReeveContext *context = self->caller->context;
  gsize prefix = strlen (REEVE_PLUGIN_IDENTITY_ATTRIBUTES);

  if (strcmp (name, "tenant_id") == 0)
    return reeve_plugin_identity_text (reeve_context_get_tenant_id (context));
  if (strcmp (name, "user_id") == 0)
    return reeve_plugin_identity_text (reeve_context_get_user_id (context));
  if (strcmp (name, "agent_id") == 0)
    return reeve_plugin_identity_text (reeve_context_get_agent_id (context));
  if (strcmp (name, "run_id") == 0)
    return reeve_plugin_identity_text (reeve_context_get_run_id (context));
  if (strcmp (name, "roles") == 0)
    return reeve_plugin_identity_texts (reeve_context_get_roles (context));
  if (strcmp (name, "workspaces") == 0)
    return reeve_plugin_identity_texts (reeve_context_get_workspaces (context));
  if (strncmp (name, REEVE_PLUGIN_IDENTITY_ATTRIBUTES, prefix) == 0)
    return reeve_plugin_identity_member (
        self->user != NULL ? reeve_json_get_object (self->user, "attributes") : NULL,
        name + prefix);
  return reeve_plugin_identity_member (self->user, name);
}

/* (transfer full) (array zero-terminated=1) (nullable): which claims are asked for; NULL without an
 * error: all that there are */
static gboolean
reeve_plugin_identity_read_names (JsonNode *params, char ***names, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL;
  JsonArray *list = reeve_json_get_array (object, "claims");
  guint length = list != NULL ? json_array_get_length (list) : 0;
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  gboolean good = length <= REEVE_PLUGIN_IDENTITY_MAX
                  && (list != NULL || object == NULL || !json_object_has_member (object, "claims"));

  for (guint i = 0; good && i < length; i++)
    {
      JsonNode *node = json_array_get_element (list, i);
      const char *name
          = json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : "";

      good = reeve_plugin_identity_is_claim (name);
      g_ptr_array_add (found, g_strdup (name));
    }
  if (!good)
    {
      reeve_error_set_member (error, "/claims",
                              "identity.read: claims are at most 64 of tenant_id, user_id, "
                              "agent_id, run_id, roles, workspaces, username, email, kind and "
                              "attributes.NAME");
      return FALSE;
    }
  g_ptr_array_add (found, NULL);
  *names = list != NULL ? (char **) g_ptr_array_free (g_steal_pointer (&found), FALSE) : NULL;
  return TRUE;
}

/* All that there are of who calls */
static char **
reeve_plugin_identity_list (ReevePluginIdentity *self)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  JsonObject *attributes
      = self->user != NULL ? reeve_json_get_object (self->user, "attributes") : NULL;
  g_autoptr (GList) names = attributes != NULL ? json_object_get_members (attributes) : NULL;

  for (guint i = 0; reeve_plugin_identity_usual[i] != NULL; i++)
    g_ptr_array_add (found, g_strdup (reeve_plugin_identity_usual[i]));
  for (guint i = 0; reeve_plugin_identity_more[i] != NULL; i++)
    g_ptr_array_add (found, g_strdup (reeve_plugin_identity_more[i]));
  for (GList *name = names; name != NULL; name = name->next)
    g_ptr_array_add (found, g_strconcat (REEVE_PLUGIN_IDENTITY_ATTRIBUTES, name->data, NULL));
  g_ptr_array_add (found, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&found), FALSE);
}

/* (transfer full) (nullable): what is asked by name must be granted, what is not is as far as it
 * is */
static JsonObject *
reeve_plugin_identity_collect (ReevePluginIdentity *self, char **names, gboolean named,
                               GError **error)
{
  g_autoptr (JsonObject) claims = json_object_new ();

  for (guint i = 0; names[i] != NULL; i++)
    {
      if (reeve_plugin_identity_allows (self, names[i]))
        json_object_set_member (claims, names[i], reeve_plugin_identity_get (self, names[i]));
      else if (named)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                       "claim %s is not granted to plugin %s: reevectl plugins grant %s "
                       "identity.read --param claims=%s --reason WHY",
                       names[i], self->caller->plugin_id, self->caller->plugin_id, names[i]);
          return NULL;
        }
    }
  return g_steal_pointer (&claims);
}

/* a ReeveCapabilityFunc */
static JsonNode *
reeve_plugin_identity_perform (const ReeveCapabilityCaller *caller, JsonNode *params,
                               gpointer user_data, GError **error)
{
  const char *tenant_id = reeve_context_get_tenant_id (caller->context);
  const char *user_id = reeve_context_get_user_id (caller->context);
  g_autoptr (JsonObject) user = NULL;
  g_auto (GStrv) asked = NULL;
  g_auto (GStrv) all = NULL;
  g_autoptr (JsonObject) claims = NULL;
  g_autoptr (JsonObject) answer = NULL;
  GError *local = NULL;
  ReevePluginIdentity self = { .caller = caller };

  if (!reeve_plugin_identity_read_names (params, &asked, error))
    return NULL;
  if (tenant_id != NULL && user_id != NULL)
    self.user = user = reeve_users_get (user_data, tenant_id, user_id, &local);
  /* who comes from elsewhere has no record in this tenant */
  if (local != NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_propagate_prefixed_error (error, local, "identity.read: ");
      return NULL;
    }
  g_clear_error (&local);
  all = asked == NULL ? reeve_plugin_identity_list (&self) : NULL;
  claims = reeve_plugin_identity_collect (&self, asked != NULL ? asked : all, asked != NULL, error);
  if (claims == NULL
      || (self.mask != 0 && !reeve_capability_lease_rest_on (caller->lease, self.mask, error)))
    return NULL;
  answer = json_object_new ();
  json_object_set_object_member (answer, "claims", g_steal_pointer (&claims));
  return json_node_init_object (json_node_alloc (), answer);
}

/**
 * reeve_plugin_identity_provide:
 * @users: of the tenants; outlives @capabilities
 * @capabilities: what this host offers to plugins
 *
 * Offers `identity.read`: {claims} to {claims{}}, see docs/plugin-guide.md.
 */
void
reeve_plugin_identity_provide (ReeveUsers *users, ReeveCapabilities *capabilities)
{
  reeve_capabilities_provide (capabilities, "identity.read", reeve_plugin_identity_perform, users);
}
