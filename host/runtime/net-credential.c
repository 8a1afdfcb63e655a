/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A secret of the settings is for the places that the same settings name: whoever wrote it there
 * meant these. A redirect is handed back to the plugin; what it asks for then is looked at anew. */
#include "net-credential.h"

#include "loader/manifest-slots.h"
#include "net-http.h"

/* (transfer full) (nullable): of the settings */
static JsonObject *
reeve_net_credential_read_settings (const ReeveCapabilityCaller *caller,
                                    const ReeveNetGuardTarget *target, const char *slot,
                                    GError **error)
{
  g_autoptr (JsonObject) secret
      = caller->manifest != NULL && caller->settings != NULL
            ? reeve_manifest_slots_find (caller->manifest, caller->settings, slot)
            : NULL;
  g_auto (GStrv) origins = NULL;

  if (secret == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY, "slot %.128s of plugin %s is empty",
                   slot, caller->plugin_id);
      return NULL;
    }
  origins = reeve_net_http_dup_origins (caller->settings);
  if (reeve_net_guard_is_granted (target, (const char *const *) origins))
    return g_steal_pointer (&secret);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "slot %.128s of plugin %s is for the places that its settings name, and not for %s",
               slot, caller->plugin_id, target->origin);
  return NULL;
}

static gboolean
reeve_net_credential_add (const ReeveCapabilityCaller *caller, ReeveHttpRequest *request,
                          const ReeveNetGuardTarget *target, const char *slot,
                          ReeveCredentialHeaders *headers, GError **error)
{
  g_autoptr (JsonObject) secret = reeve_net_credential_read_settings (caller, target, slot, error);

  if (secret == NULL)
    return FALSE;
  if (reeve_credential_scheme_apply (secret, request, headers, error))
    return TRUE;
  g_prefix_error (error, "slot %.128s of plugin %s ", slot, caller->plugin_id);
  return FALSE;
}

/**
 * reeve_net_credential_find:
 * @caller: which instance
 * @request: what it wants
 * @error: return location
 *
 * Returns: (transfer full): what the host attaches; %NULL with an error
 */
ReeveCredentialHeaders *
reeve_net_credential_find (const ReeveCapabilityCaller *caller, ReeveHttpRequest *request,
                           GError **error)
{
  const char *const *slots = reeve_http_request_get_credentials (request);
  g_autoptr (ReeveCredentialHeaders) headers = reeve_credential_headers_new ();
  g_autoptr (ReeveNetGuardTarget) target = NULL;

  if (slots[0] == NULL)
    return g_steal_pointer (&headers);
  target = reeve_net_guard_target_new (reeve_http_request_get_url (request), error);
  if (target == NULL)
    return NULL;
  for (guint i = 0; slots[i] != NULL; i++)
    {
      if (i == REEVE_NET_CREDENTIAL_MAX)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "a request names %d slots at most", REEVE_NET_CREDENTIAL_MAX);
          return NULL;
        }
      if (!reeve_net_credential_add (caller, request, target, slots[i], headers, error))
        return NULL;
    }
  return g_steal_pointer (&headers);
}
