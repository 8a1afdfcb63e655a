/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who the caller is, from what the gate found out. */
#include "operation-functions.h"

static JsonArray *
reeve_op_me_strings (const char *const *strings)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; strings != NULL && strings[i] != NULL; i++)
    json_array_add_string_element (array, strings[i]);
  return array;
}

static void
reeve_op_me_set (JsonObject *object, const char *member, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, member, value);
  else
    json_object_set_null_member (object, member);
}

/* A caller from the bus is no user of the store: then there is no name. */
static char *
reeve_op_me_find_name (ReeveCaller *caller, ReeveServices *services)
{
  g_autoptr (JsonObject) user
      = reeve_users_get (services->users, reeve_caller_get_home_tenant_id (caller),
                         reeve_caller_get_user_id (caller), NULL);

  return user != NULL ? g_strdup (reeve_json_get_string (user, "username", NULL)) : NULL;
}

void
reeve_op_me_get (ReeveCall *call, ReeveServices *services)
{
  ReeveCaller *caller = reeve_call_get_caller (call);
  g_auto (GStrv) permissions = reeve_caller_list_permissions (caller);
  g_autofree char *username = reeve_op_me_find_name (caller, services);
  JsonObject *me = json_object_new ();

  json_object_set_string_member (me, "user_id", reeve_caller_get_user_id (caller));
  reeve_op_me_set (me, "username", username);
  json_object_set_string_member (me, "tenant_id", reeve_caller_get_tenant_id (caller));
  json_object_set_string_member (me, "home_tenant_id", reeve_caller_get_home_tenant_id (caller));
  json_object_set_array_member (me, "roles", reeve_op_me_strings (reeve_caller_get_roles (caller)));
  json_object_set_array_member (me, "permissions",
                                reeve_op_me_strings ((const char *const *) permissions));
  json_object_set_boolean_member (me, "platform_admin", reeve_caller_is_platform_admin (caller));
  json_object_set_string_member (me, "authenticated_by", reeve_caller_get_method (caller));
  reeve_op_me_set (me, "key_id", reeve_caller_get_key_id (caller));
  reeve_call_answer (call, me, NULL);
}
