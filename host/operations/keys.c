/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* API keys, over governance/api-keys.h, which knows whose keys one may touch. */
#include "operation-functions.h"

void
reeve_op_keys_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page = reeve_api_keys_list (services->api_keys, reeve_call_get_caller (call),
                                          reeve_call_get_params (call), &error);

  reeve_call_answer (call, page, error);
}

void
reeve_op_keys_create (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *key = reeve_api_keys_create (services->api_keys, reeve_call_get_admitted (call),
                                           reeve_call_get_params (call), &error);

  reeve_call_answer (call, key, error);
}

gboolean
reeve_op_keys_create_again (ReeveCall *call, ReeveServices *services, GError **error)
{
  return reeve_api_keys_may_create (services->api_keys, reeve_call_get_caller (call),
                                    reeve_call_get_params (call), error);
}

void
reeve_op_keys_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *key = reeve_api_keys_get (services->api_keys, reeve_call_get_caller (call),
                                        reeve_call_get_string (call, "key_id"), &error);

  reeve_call_answer (call, key, error);
}

void
reeve_op_keys_rotate (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *key = reeve_api_keys_rotate (services->api_keys, reeve_call_get_admitted (call),
                                           reeve_call_get_params (call), &error);

  reeve_call_answer (call, key, error);
}

gboolean
reeve_op_keys_rotate_again (ReeveCall *call, ReeveServices *services, GError **error)
{
  return reeve_api_keys_may_rotate (services->api_keys, reeve_call_get_caller (call),
                                    reeve_call_get_string (call, "key_id"), error);
}

void
reeve_op_keys_delete (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_api_keys_revoke (services->api_keys, reeve_call_get_admitted (call),
                             reeve_call_get_string (call, "key_id"), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}
