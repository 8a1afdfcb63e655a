/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who sees what is in a workspace: its members, who holds workspace:read, and everybody of the
 * tenant where it is open to them; but with a key that is bound to a workspace, nothing else. */
#include <string.h>

#include "workspaces-private.h"

/* of which a record says in which workspace it lies */
static const char *const reeve_workspaces_held[]
    = { REEVE_STORE_AGENTS, REEVE_STORE_DOCUMENTS, REEVE_STORE_RUNS, REEVE_STORE_CONVERSATIONS,
        NULL };

void
reeve_workspaces_forget (ReeveWorkspaces *self, const char *tenant_id)
{
  g_mutex_lock (&self->mutex);
  self->version++;
  g_hash_table_remove (self->books, tenant_id);
  g_mutex_unlock (&self->mutex);
}

ReeveWorkspaceBook *
reeve_workspaces_open_book (ReeveWorkspaces *self, const char *tenant_id, GError **error)
{
  ReeveWorkspaceBook *book = NULL;
  guint version = 0;

  g_mutex_lock (&self->mutex);
  version = self->version;
  book = g_hash_table_lookup (self->books, tenant_id);
  if (book != NULL)
    reeve_workspace_book_ref (book);
  g_mutex_unlock (&self->mutex);
  if (book != NULL)
    return book;
  book = reeve_workspace_book_read (self->store, tenant_id, error);
  if (book == NULL)
    return NULL;
  g_mutex_lock (&self->mutex);
  if (version == self->version)
    g_hash_table_replace (self->books, g_strdup (tenant_id), reeve_workspace_book_ref (book));
  g_mutex_unlock (&self->mutex);
  return book;
}

/* (transfer full) (nullable): what is known of a tenant's */
static ReeveWorkspaceBook *
reeve_workspaces_find_book (ReeveWorkspaces *self, const char *tenant_id)
{
  ReeveWorkspaceBook *book = NULL;

  g_mutex_lock (&self->mutex);
  book = g_hash_table_lookup (self->books, tenant_id);
  if (book != NULL)
    reeve_workspace_book_ref (book);
  g_mutex_unlock (&self->mutex);
  return book;
}

static void
reeve_workspaces_judge (ReeveWorkspaceBook *book, ReeveCaller *caller, const char *workspace_id,
                        gboolean *sees, gboolean *enters)
{
  const char *bound = reeve_caller_get_workspace_id (caller);
  const char *user_id = reeve_caller_get_user_id (caller);
  gboolean home
      = strcmp (reeve_caller_get_tenant_id (caller), reeve_caller_get_home_tenant_id (caller)) == 0;

  *enters = FALSE;
  *sees = FALSE;
  if (bound != NULL && g_strcmp0 (bound, workspace_id) != 0)
    return;
  *enters = workspace_id == NULL
            || reeve_caller_has_permission_in (caller, "workspace:read", workspace_id)
            || (home && user_id != NULL
                && reeve_workspace_book_is_member (book, workspace_id, user_id));
  *sees = *enters || reeve_workspace_book_is_open (book, workspace_id);
}

/* May what is in there be asked for from where @caller is? Whose tenant it is not, the platform
 * admin, helps out: his own tenant's rule has let him in. */
static gboolean
reeve_workspaces_may_come (ReeveWorkspaces *self, ReeveWorkspaceBook *book, ReeveCaller *caller,
                           const char *workspace_id, GError **error)
{
  const ReeveNetworkRule *rule
      = workspace_id != NULL ? reeve_workspace_book_get_rule (book, workspace_id) : NULL;

  if (rule == NULL || reeve_caller_is_network_excused (caller)
      || strcmp (reeve_caller_get_tenant_id (caller), reeve_caller_get_home_tenant_id (caller))
             != 0)
    return TRUE;
  if (self->network != NULL
      && !reeve_network_judge (self->network, rule, reeve_caller_get_peer_address (caller), error))
    {
      g_prefix_error (error, "workspace %s: ", workspace_id);
      return FALSE;
    }
  if (self->network == NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NETWORK_DENIED,
                         "nobody judges from where workspaces are entered");
  return self->network != NULL;
}

/* Who shows a key of a workspace comes for that one. */
static gboolean
reeve_workspaces_on_identity (ReeveAuthenticationDraft *draft, gpointer user_data, GError **error)
{
  ReeveWorkspaces *self = user_data;
  const char *bound = reeve_identity_get_workspace_id (draft->identity);
  g_autoptr (ReeveWorkspaceBook) book = NULL;
  const ReeveNetworkRule *rule = NULL;

  if (bound == NULL)
    return TRUE;
  book = reeve_workspaces_open_book (self, draft->tenant_id, error);
  if (book == NULL)
    return FALSE;
  rule = reeve_workspace_book_get_rule (book, bound);
  return rule == NULL
         || reeve_network_judge (self->network, rule, draft->credentials->peer_address, error);
}

/**
 * reeve_workspaces_set_network:
 * @self: workspaces; outlive the last authentication
 * @network: judges from where each may be entered; outlives this
 */
void
reeve_workspaces_set_network (ReeveWorkspaces *self, ReeveNetwork *network)
{
  self->network = network;
  reeve_authentication_admit_add_step (reeve_authentication_get_admit (self->authentication),
                                       REEVE_ADMIT_NETWORK, reeve_workspaces_on_identity, self);
}

/**
 * reeve_workspaces_find_access:
 * @self: workspaces
 * @caller: who asks
 * @workspace_id: (nullable): where something lies; %NULL for in no workspace
 * @sees: (out): whether it is shown to @caller
 * @enters: (out): whether @caller may change and execute it, as far as its permissions go
 * @error: return location
 *
 * Returns: %FALSE with an error: then nobody sees anything
 */
gboolean
reeve_workspaces_find_access (ReeveWorkspaces *self, ReeveCaller *caller, const char *workspace_id,
                              gboolean *sees, gboolean *enters, GError **error)
{
  g_autoptr (ReeveWorkspaceBook) book = NULL;

  *sees = *enters = workspace_id == NULL;
  if (workspace_id == NULL && reeve_caller_get_workspace_id (caller) == NULL)
    return TRUE;
  book = reeve_workspaces_open_book (self, reeve_caller_get_tenant_id (caller), error);
  if (book == NULL)
    return FALSE;
  reeve_workspaces_judge (book, caller, workspace_id, sees, enters);
  if (*sees && !reeve_workspaces_may_come (self, book, caller, workspace_id, NULL))
    *sees = *enters = FALSE;
  return TRUE;
}

/**
 * reeve_workspaces_still_sees:
 * @self: workspaces
 * @caller: to whom what lies in @workspace_id was shown
 * @workspace_id: (nullable): where that is
 * @error: return location
 *
 * For who reads on: whether he would be shown it now. No I/O: each change has been read by the time
 * it is answered, and of what was not read nothing has changed.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_NETWORK_DENIED or
 * %REEVE_ERROR_COUNTRY_DENIED
 */
gboolean
reeve_workspaces_still_sees (ReeveWorkspaces *self, ReeveCaller *caller, const char *workspace_id,
                             GError **error)
{
  g_autoptr (ReeveWorkspaceBook) book = NULL;
  gboolean sees = FALSE;
  gboolean enters = FALSE;

  if (workspace_id == NULL)
    return TRUE;
  book = reeve_workspaces_find_book (self, reeve_caller_get_tenant_id (caller));
  if (book == NULL)
    return TRUE;
  reeve_workspaces_judge (book, caller, workspace_id, &sees, &enters);
  if (sees)
    return reeve_workspaces_may_come (self, book, caller, workspace_id, error);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such workspace");
  return FALSE;
}

/**
 * reeve_workspaces_surely_enters:
 * @self: workspaces
 * @caller: who asks
 * @workspace_id: (nullable): where something lies
 *
 * No I/O.
 *
 * Returns: %FALSE also when it would have to be read
 */
gboolean
reeve_workspaces_surely_enters (ReeveWorkspaces *self, ReeveCaller *caller,
                                const char *workspace_id)
{
  g_autoptr (ReeveWorkspaceBook) book = NULL;
  gboolean sees = FALSE;
  gboolean enters = FALSE;

  if (workspace_id == NULL && reeve_caller_get_workspace_id (caller) == NULL)
    return TRUE;
  book = reeve_workspaces_find_book (self, reeve_caller_get_tenant_id (caller));
  if (book == NULL)
    return FALSE;
  reeve_workspaces_judge (book, caller, workspace_id, &sees, &enters);
  return enters && reeve_workspaces_may_come (self, book, caller, workspace_id, NULL);
}

/* Where the thing lies. *@exists is %FALSE when there is none. */
static gboolean
reeve_workspaces_locate (ReeveWorkspaces *self, const char *tenant_id, const char *collection,
                         const char *id, char **workspace_id, gboolean *exists, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) record = reeve_store_get (self->store, tenant_id, collection, id, &local);

  *exists = record != NULL;
  if (record == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (record == NULL)
    return TRUE;
  *workspace_id = strcmp (collection, REEVE_STORE_WORKSPACES) == 0
                      ? g_strdup (id)
                      : g_strdup (reeve_json_get_string (reeve_record_get_fields (record),
                                                         "workspace_id", NULL));
  return TRUE;
}

/**
 * reeve_workspaces_exists:
 * @self: workspaces
 * @caller: who asks
 * @collection: a collection of the tenant
 * @id: a record of it
 * @writing: whether it is to be changed or executed
 * @exists: (out): whether there is one, and @caller sees it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED when it is shown to @caller, who is to change
 * nothing of it, %REEVE_ERROR_NETWORK_DENIED or %REEVE_ERROR_COUNTRY_DENIED when it would be shown
 * to @caller elsewhere, or another error
 */
gboolean
reeve_workspaces_exists (ReeveWorkspaces *self, ReeveCaller *caller, const char *collection,
                         const char *id, gboolean writing, gboolean *exists, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  gboolean held = g_strv_contains (reeve_workspaces_held, collection);
  g_autoptr (ReeveWorkspaceBook) book = NULL;
  g_autofree char *workspace_id = NULL;
  gboolean enters = FALSE;

  *exists = FALSE;
  book = reeve_workspaces_open_book (self, tenant_id, error);
  if (book == NULL)
    return FALSE;
  if ((!held && strcmp (collection, REEVE_STORE_WORKSPACES) != 0)
      || (reeve_workspace_book_is_empty (book) && reeve_caller_get_workspace_id (caller) == NULL))
    return reeve_store_exists (self->store, tenant_id, collection, id, exists, error);
  if (!reeve_workspaces_locate (self, tenant_id, collection, id, &workspace_id, exists, error))
    return FALSE;
  if (!*exists)
    return TRUE;
  reeve_workspaces_judge (book, caller, workspace_id, exists, &enters);
  if (*exists && !reeve_workspaces_may_come (self, book, caller, workspace_id, error))
    {
      *exists = FALSE;
      return FALSE;
    }
  if (!*exists || !writing || enters)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                       "only members of the workspace may do this");
  return FALSE;
}

/**
 * reeve_workspaces_locate_thing:
 * @self: workspaces
 * @caller: who asks
 * @collection: a collection of the tenant
 * @id: a record of it
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the workspace that it lies in; %NULL: in none, or there is
 * no such thing, or an error
 */
char *
reeve_workspaces_locate_thing (ReeveWorkspaces *self, ReeveCaller *caller, const char *collection,
                               const char *id, GError **error)
{
  char *workspace_id = NULL;
  gboolean exists = FALSE;

  if (strcmp (collection, REEVE_STORE_WORKSPACES) != 0
      && !g_strv_contains (reeve_workspaces_held, collection))
    return NULL;
  reeve_workspaces_locate (self, reeve_caller_get_tenant_id (caller), collection, id, &workspace_id,
                           &exists, error);
  return workspace_id;
}

/**
 * reeve_workspaces_list_seen:
 * @self: workspaces
 * @caller: who asks
 * @permission: (nullable): only those where it holds that
 * @error: return location
 *
 * Returns: (transfer full): the workspaces whose things it sees, %REEVE_WORKSPACES_NONE for what
 * lies in none, %REEVE_WORKSPACES_ALL for all there are, but those behind %REEVE_WORKSPACES_BUT;
 * %NULL with an error
 */
char **
reeve_workspaces_list_seen (ReeveWorkspaces *self, ReeveCaller *caller, const char *permission,
                            GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (ReeveWorkspaceBook) book = NULL;
  gboolean bound = reeve_caller_get_workspace_id (caller) != NULL;
  gboolean everywhere = permission == NULL || reeve_caller_has_permission (caller, permission);
  /* those that were deleted, too */
  gboolean every = !bound && everywhere && reeve_caller_has_permission (caller, "workspace:read");
  g_auto (GStrv) all = NULL;

  book = reeve_workspaces_open_book (self, reeve_caller_get_tenant_id (caller), error);
  if (book == NULL)
    return NULL;
  if (!bound && everywhere)
    g_strv_builder_add (builder, every ? REEVE_WORKSPACES_ALL : REEVE_WORKSPACES_NONE);
  all = reeve_workspace_book_list (book);
  for (guint i = 0; all[i] != NULL; i++)
    {
      g_autofree char *but = g_strconcat (REEVE_WORKSPACES_BUT, all[i], NULL);
      gboolean comes = reeve_workspaces_may_come (self, book, caller, all[i], NULL);
      gboolean sees = FALSE;
      gboolean enters = FALSE;

      reeve_workspaces_judge (book, caller, all[i], &sees, &enters);
      if (every && !comes)
        g_strv_builder_add (builder, but);
      else if (!every && sees && comes
               && (everywhere || reeve_caller_has_permission_in (caller, permission, all[i])))
        g_strv_builder_add (builder, all[i]);
    }
  return g_strv_builder_end (builder);
}

/**
 * reeve_workspaces_is_seen:
 * @seen: (nullable): what reeve_workspaces_list_seen() found; %NULL: nobody looked, so only what
 * lies in no workspace
 * @workspace_id: (nullable): where something lies
 *
 * Returns: whether it is shown
 */
gboolean
reeve_workspaces_is_seen (const char *const *seen, const char *workspace_id)
{
  if (seen == NULL)
    return workspace_id == NULL;
  for (guint i = 0; workspace_id != NULL && seen[i] != NULL; i++)
    if (g_str_has_prefix (seen[i], REEVE_WORKSPACES_BUT)
        && strcmp (seen[i] + strlen (REEVE_WORKSPACES_BUT), workspace_id) == 0)
      return FALSE;
  return g_strv_contains (seen, REEVE_WORKSPACES_ALL)
         || g_strv_contains (seen, workspace_id != NULL ? workspace_id : REEVE_WORKSPACES_NONE);
}

/**
 * reeve_workspaces_is_all_seen:
 * @self: workspaces
 * @tenant_id: a tenant
 * @seen: (nullable): what reeve_workspaces_list_seen() found
 * @all: (out): whether nothing can lie where it is hidden
 * @error: return location
 *
 * Returns: %FALSE with an error: then it is not known
 */
gboolean
reeve_workspaces_is_all_seen (ReeveWorkspaces *self, const char *tenant_id, const char *const *seen,
                              gboolean *all, GError **error)
{
  g_autoptr (ReeveWorkspaceBook) book = NULL;
  g_auto (GStrv) names = NULL;

  *all = reeve_workspaces_is_seen (seen, NULL);
  if (!*all)
    return TRUE;
  book = reeve_workspaces_open_book (self, tenant_id, error);
  if (book == NULL)
    return FALSE;
  names = reeve_workspace_book_list (book);
  for (guint i = 0; names[i] != NULL && *all; i++)
    *all = reeve_workspaces_is_seen (seen, names[i]);
  return TRUE;
}

/**
 * reeve_workspaces_choose:
 * @self: workspaces
 * @caller: who makes a thing
 * @wanted: (nullable): where it is to lie
 * @workspace_id: (out) (transfer full) (nullable): where it lies; %NULL for in no workspace
 * @error: return location
 *
 * What is made with a key of a workspace lies in that one.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND for a workspace that is not there or not seen,
 * %REEVE_ERROR_PERMISSION_DENIED for one that is seen and not entered
 */
gboolean
reeve_workspaces_choose (ReeveWorkspaces *self, ReeveCaller *caller, const char *wanted,
                         char **workspace_id, GError **error)
{
  const char *chosen = wanted != NULL ? wanted : reeve_caller_get_workspace_id (caller);
  gboolean exists = FALSE;

  *workspace_id = NULL;
  if (chosen == NULL)
    return TRUE;
  if (!reeve_workspaces_exists (self, caller, REEVE_STORE_WORKSPACES, chosen, TRUE, &exists, error))
    return FALSE;
  if (exists)
    *workspace_id = g_strdup (chosen);
  else
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such workspace");
  return exists;
}
