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

/* What the user's record says of him. Who was let in by a token alone has none. */
static void
reeve_op_me_add_record (JsonObject *me, ReeveCaller *caller, ReeveServices *services)
{
  static const char *const members[] = { "username", "email", "kind", "presence" };
  g_autoptr (JsonObject) user
      = reeve_users_get (services->users, reeve_caller_get_home_tenant_id (caller),
                         reeve_caller_get_user_id (caller), NULL);
  JsonObject *attributes = user != NULL ? reeve_json_get_object (user, "attributes") : NULL;

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_op_me_set (me, members[i],
                     user != NULL ? reeve_json_get_string (user, members[i], NULL) : NULL);
  json_object_set_object_member (
      me, "attributes", attributes != NULL ? json_object_ref (attributes) : json_object_new ());
}

void
reeve_op_me_get (ReeveCall *call, ReeveServices *services)
{
  ReeveCaller *caller = reeve_call_get_caller (call);
  const char *const *roles = reeve_caller_get_roles (caller);
  g_auto (GStrv) permissions = reeve_caller_list_permissions (caller);
  JsonObject *me = json_object_new ();

  json_object_set_string_member (me, "user_id", reeve_caller_get_user_id (caller));
  reeve_op_me_add_record (me, caller, services);
  json_object_set_string_member (me, "tenant_id", reeve_caller_get_tenant_id (caller));
  json_object_set_string_member (me, "home_tenant_id", reeve_caller_get_home_tenant_id (caller));
  json_object_set_array_member (me, "roles", reeve_op_me_strings (roles));
  json_object_set_array_member (me, "permissions",
                                reeve_op_me_strings ((const char *const *) permissions));
  json_object_set_boolean_member (me, "is_admin",
                                  roles != NULL && g_strv_contains (roles, "admin"));
  json_object_set_boolean_member (me, "platform_admin", reeve_caller_is_platform_admin (caller));
  json_object_set_string_member (me, "authenticated_by", reeve_caller_get_method (caller));
  reeve_op_me_set (me, "key_id", reeve_caller_get_key_id (caller));
  reeve_call_answer (call, me, NULL);
}

void
reeve_op_me_set_presence (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *presence = reeve_users_set_presence (services->users, reeve_call_get_admitted (call),
                                                   reeve_call_get_params (call), &error);

  reeve_call_answer (call, presence, error);
}
