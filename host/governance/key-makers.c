/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whoever made a key for somebody would only have to wait until that user gets more. */
#include "key-makers.h"

#include <string.h>

#include "directory.h"

static gboolean
reeve_key_makers_covers (ReeveUsers *users, ReeveAuthenticationDraft *draft, const char *maker,
                         ReevePermissions permissions)
{
  g_auto (GStrv) parts = g_strsplit (maker, "/", 2);
  ReeveUsersAccount account = { 0 };

  if (g_strv_length (parts) != 2)
    return FALSE;
  if (strcmp (parts[0], draft->tenant_id) == 0
      && g_strcmp0 (parts[1], reeve_identity_get_user_id (draft->identity)) == 0)
    return TRUE;
  if (!reeve_users_read (users, parts[0], parts[1], &account, NULL) || account.deleted
      || !account.active)
    return FALSE;
  return account.platform_admin
         || (strcmp (parts[0], draft->tenant_id) == 0 && (permissions & ~account.permissions) == 0);
}

/**
 * reeve_key_makers_may_have:
 * @users: the users
 * @draft: an identity on its way
 * @makers: (nullable): of reeve_key_makers_read()
 * @permissions: what its user has got since
 *
 * Returns: whether the credential gets it as well: it is no key, or whoever knows it may have that
 */
gboolean
reeve_key_makers_may_have (ReeveUsers *users, ReeveAuthenticationDraft *draft,
                           const char *const *makers, ReevePermissions permissions)
{
  for (guint i = 0; makers != NULL && makers[i] != NULL; i++)
    if (!reeve_key_makers_covers (users, draft, makers[i], permissions))
      return FALSE;
  return makers == NULL || makers[0] != NULL;
}

/**
 * reeve_key_makers_read:
 * @store: the store
 * @draft: an identity on its way
 *
 * Returns: (transfer full) (nullable): who knows the key that was shown; %NULL when it was none
 */
char **
reeve_key_makers_read (ReeveStore *store, ReeveAuthenticationDraft *draft)
{
  const char *key_id = reeve_identity_get_key_id (draft->identity);
  g_autoptr (ReeveRecord) record = NULL;

  if (key_id == NULL)
    return NULL;
  record = reeve_store_get (store, REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS, key_id, NULL);
  return record != NULL ? reeve_directory_get_strings (reeve_record_get_fields (record), "makers")
                        : g_new0 (char *, 1);
}
