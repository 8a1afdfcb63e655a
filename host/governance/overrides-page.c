/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tenant's overrides in memory, so that asking takes no I/O. */
#include "overrides-page.h"

#include <string.h>

#include "directory.h"

typedef struct
{
  char *override_id;
  char *subject; /* user:<id> or role:<id> */
  ReevePermissions permissions;
  gboolean allow;
  ReevePermissions reach; /* of its maker: a denial meets nobody who holds more */
} ReeveOverridesPageRule;

struct _ReeveOverridesPage
{
  gatomicrefcount references;
  GHashTable *rules; /* "type/id" -> GPtrArray of rules */
  GPtrArray *all;    /* the same rules, which it owns */
};

static void
reeve_overrides_page_rule_free (gpointer data)
{
  ReeveOverridesPageRule *rule = data;

  g_free (rule->override_id);
  g_free (rule->subject);
  g_free (rule);
}

ReeveOverridesPage *
reeve_overrides_page_new (void)
{
  ReeveOverridesPage *self = g_new0 (ReeveOverridesPage, 1);

  g_atomic_ref_count_init (&self->references);
  self->rules
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  self->all = g_ptr_array_new_with_free_func (reeve_overrides_page_rule_free);
  return self;
}

ReeveOverridesPage *
reeve_overrides_page_ref (ReeveOverridesPage *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_overrides_page_unref (ReeveOverridesPage *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->rules);
  g_ptr_array_unref (self->all);
  g_free (self);
}

void
reeve_overrides_page_add (ReeveOverridesPage *self, ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  g_auto (GStrv) permissions = reeve_directory_get_strings (fields, "permissions");
  g_auto (GStrv) reach = reeve_directory_get_strings (fields, "reach");
  g_autofree char *about = g_strconcat (reeve_json_get_string (fields, "resource_type", ""), "/",
                                        reeve_json_get_string (fields, "resource_id", ""), NULL);
  ReeveOverridesPageRule *rule = g_new0 (ReeveOverridesPageRule, 1);
  GPtrArray *rules = g_hash_table_lookup (self->rules, about);

  rule->override_id = g_strdup (reeve_record_get_id (record));
  rule->subject = g_strdup (reeve_json_get_string (fields, "subject", ""));
  rule->reach = json_object_has_member (fields, "reach")
                    ? reeve_roles_match_all ((const char *const *) reach)
                    : reeve_roles_all ();
  rule->permissions = reeve_roles_match_all ((const char *const *) permissions);
  rule->allow = strcmp (reeve_json_get_string (fields, "effect", ""), "allow") == 0;
  g_ptr_array_add (self->all, rule);
  if (rules == NULL)
    {
      rules = g_ptr_array_new ();
      g_hash_table_insert (self->rules, g_steal_pointer (&about), rules);
    }
  g_ptr_array_add (rules, rule);
}

/* Is the rule about that caller? A denial goes with every role of the user; what is allowed to a
 * user raises no credential that is weaker than he. */
static gboolean
reeve_overrides_page_is_subject (const ReeveOverridesPageRule *rule, ReeveCaller *caller)
{
  const char *const *roles
      = rule->allow ? reeve_caller_get_roles (caller) : reeve_caller_get_marks (caller);
  const char *user_id = reeve_caller_get_user_id (caller);

  if (g_str_has_prefix (rule->subject, "user:"))
    return (!rule->allow || reeve_caller_is_whole (caller))
           && g_strcmp0 (rule->subject + strlen ("user:"), user_id) == 0;
  return g_str_has_prefix (rule->subject, "role:") && roles != NULL
         && g_strv_contains (roles, rule->subject + strlen ("role:"));
}

gboolean
reeve_overrides_page_find (ReeveOverridesPage *self, ReeveCaller *caller, ReevePermissions wanted,
                           const char *resource_type, const char *resource_id, gboolean *allow,
                           const char **override_id)
{
  g_autofree char *about = g_strconcat (resource_type, "/", resource_id, NULL);
  GPtrArray *rules = g_hash_table_lookup (self->rules, about);
  gboolean found = FALSE;

  for (guint i = 0; rules != NULL && i < rules->len; i++)
    {
      const ReeveOverridesPageRule *rule = g_ptr_array_index (rules, i);

      if ((rule->permissions & wanted) != wanted
          || (!rule->allow && (reeve_caller_get_holds (caller) & ~rule->reach) != 0)
          || (found && rule->allow)
          || (rule->allow && (wanted & ~reeve_caller_get_bound (caller)) != 0)
          || !reeve_overrides_page_is_subject (rule, caller))
        continue;
      found = TRUE;
      *allow = rule->allow;
      *override_id = rule->override_id;
      if (!rule->allow)
        break; /* deny wins */
    }
  return found;
}

gboolean
reeve_overrides_page_denies (ReeveOverridesPage *self, ReeveCaller *caller, const char *override_id)
{
  for (guint i = 0; i < self->all->len; i++)
    {
      const ReeveOverridesPageRule *rule = g_ptr_array_index (self->all, i);

      if (strcmp (rule->override_id, override_id) == 0)
        return !rule->allow && reeve_overrides_page_is_subject (rule, caller);
    }
  return FALSE;
}

ReevePermissions
reeve_overrides_page_get_allowed (ReeveOverridesPage *self, ReeveCaller *caller)
{
  ReevePermissions allowed = 0;

  for (guint i = 0; i < self->all->len; i++)
    {
      const ReeveOverridesPageRule *rule = g_ptr_array_index (self->all, i);

      if (rule->allow && reeve_overrides_page_is_subject (rule, caller))
        allowed |= rule->permissions;
    }
  return allowed & reeve_caller_get_bound (caller);
}

guint
reeve_overrides_page_get_length (ReeveOverridesPage *self)
{
  return self->all->len;
}
