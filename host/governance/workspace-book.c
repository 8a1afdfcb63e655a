/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who belongs where is asked for each thing that is shown: it is read once and kept in memory. */
#include "workspace-book.h"

#include "directory.h"

struct _ReeveWorkspaceBook
{
  gatomicrefcount references;
  GHashTable *workspaces; /* id -> open: GINT_TO_POINTER (TRUE or FALSE) */
  GHashTable *members;    /* "workspace/user" -> role; NULL: none */
  GHashTable *rules;      /* id -> ReeveNetworkRule, of those that have one */
};

typedef void (*ReeveWorkspaceBookTake) (ReeveWorkspaceBook *self, ReeveRecord *record);

static void
reeve_workspace_book_take_workspace (ReeveWorkspaceBook *self, ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  gboolean open = reeve_json_get_boolean (fields, "cross_workspace_visibility", FALSE);
  g_autoptr (ReeveNetworkRule) rule = reeve_network_rule_new (fields);

  g_hash_table_insert (self->workspaces, g_strdup (reeve_record_get_id (record)),
                       GINT_TO_POINTER (open));
  if (!reeve_network_rule_is_empty (rule))
    g_hash_table_insert (self->rules, g_strdup (reeve_record_get_id (record)),
                         g_steal_pointer (&rule));
}

static char *
reeve_workspace_book_name (const char *workspace_id, const char *user_id)
{
  return g_strconcat (workspace_id, "/", user_id, NULL);
}

static void
reeve_workspace_book_take_member (ReeveWorkspaceBook *self, ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);

  g_hash_table_insert (
      self->members,
      reeve_workspace_book_name (reeve_json_get_string (fields, "workspace_id", ""),
                                 reeve_json_get_string (fields, "user_id", "")),
      g_strdup (reeve_json_get_string (fields, "role", NULL)));
}

static gboolean
reeve_workspace_book_read_all (ReeveWorkspaceBook *self, ReeveStore *store, const char *tenant_id,
                               const char *collection, ReeveWorkspaceBookTake take, GError **error)
{
  g_autoptr (GPtrArray) records
      = reeve_directory_read_all (store, tenant_id, collection, NULL, NULL, error);

  if (records == NULL)
    return FALSE;
  for (guint i = 0; i < records->len; i++)
    take (self, g_ptr_array_index (records, i));
  return TRUE;
}

/**
 * reeve_workspace_book_read:
 * @store: the store
 * @tenant_id: whose
 * @error: return location
 *
 * Returns: (transfer full) (nullable): what is there now
 */
ReeveWorkspaceBook *
reeve_workspace_book_read (ReeveStore *store, const char *tenant_id, GError **error)
{
  g_autoptr (ReeveWorkspaceBook) self = g_new0 (ReeveWorkspaceBook, 1);

  g_atomic_ref_count_init (&self->references);
  self->workspaces = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->members = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->rules = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) reeve_network_rule_free);
  if (!reeve_workspace_book_read_all (self, store, tenant_id, REEVE_STORE_WORKSPACES,
                                      reeve_workspace_book_take_workspace, error)
      || (g_hash_table_size (self->workspaces) > 0
          && !reeve_workspace_book_read_all (self, store, tenant_id, REEVE_STORE_WORKSPACE_MEMBERS,
                                             reeve_workspace_book_take_member, error)))
    {
      g_prefix_error (error, "reading the workspaces of %s: ", tenant_id);
      return NULL;
    }
  return g_steal_pointer (&self);
}

/**
 * reeve_workspace_book_ref:
 * @self: a book
 *
 * Returns: (transfer full): @self
 */
ReeveWorkspaceBook *
reeve_workspace_book_ref (ReeveWorkspaceBook *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * reeve_workspace_book_unref:
 * @self: (transfer full): a book
 */
void
reeve_workspace_book_unref (ReeveWorkspaceBook *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->workspaces);
  g_hash_table_unref (self->members);
  g_hash_table_unref (self->rules);
  g_free (self);
}

/**
 * reeve_workspace_book_is_empty:
 * @self: a book
 *
 * Returns: whether the tenant has no workspaces
 */
gboolean
reeve_workspace_book_is_empty (ReeveWorkspaceBook *self)
{
  return g_hash_table_size (self->workspaces) == 0;
}

/**
 * reeve_workspace_book_has:
 * @self: a book
 * @workspace_id: a workspace
 *
 * Returns: whether it is there
 */
gboolean
reeve_workspace_book_has (ReeveWorkspaceBook *self, const char *workspace_id)
{
  return g_hash_table_contains (self->workspaces, workspace_id);
}

/**
 * reeve_workspace_book_is_open:
 * @self: a book
 * @workspace_id: a workspace
 *
 * Returns: whether the whole tenant sees what is in it
 */
gboolean
reeve_workspace_book_is_open (ReeveWorkspaceBook *self, const char *workspace_id)
{
  return GPOINTER_TO_INT (g_hash_table_lookup (self->workspaces, workspace_id)) != 0;
}

/**
 * reeve_workspace_book_get_rule:
 * @self: a book
 * @workspace_id: a workspace
 *
 * Returns: (transfer none) (nullable): from where it may be entered; %NULL: from everywhere
 */
const ReeveNetworkRule *
reeve_workspace_book_get_rule (ReeveWorkspaceBook *self, const char *workspace_id)
{
  return g_hash_table_lookup (self->rules, workspace_id);
}

/**
 * reeve_workspace_book_is_member:
 * @self: a book
 * @workspace_id: a workspace
 * @user_id: a user
 *
 * Returns: whether the user belongs to it
 */
gboolean
reeve_workspace_book_is_member (ReeveWorkspaceBook *self, const char *workspace_id,
                                const char *user_id)
{
  g_autofree char *name = reeve_workspace_book_name (workspace_id, user_id);

  return g_hash_table_contains (self->members, name);
}

/**
 * reeve_workspace_book_get_role:
 * @self: a book
 * @workspace_id: a workspace
 * @user_id: a user
 *
 * Returns: (transfer none) (nullable): the role that the user has in there
 */
const char *
reeve_workspace_book_get_role (ReeveWorkspaceBook *self, const char *workspace_id,
                               const char *user_id)
{
  g_autofree char *name = reeve_workspace_book_name (workspace_id, user_id);

  return g_hash_table_lookup (self->members, name);
}

/**
 * reeve_workspace_book_list:
 * @self: a book
 *
 * Returns: (transfer full): ids of all workspaces
 */
char **
reeve_workspace_book_list (ReeveWorkspaceBook *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  GHashTableIter iter;
  gpointer id = NULL;

  g_hash_table_iter_init (&iter, self->workspaces);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    g_strv_builder_add (builder, id);
  return g_strv_builder_end (builder);
}
