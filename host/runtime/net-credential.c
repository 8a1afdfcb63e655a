/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A secret of the settings is for the places that the same settings name: whoever wrote it there
 * meant these. One of the store says for which it is, and needs `secret.use`. A redirect is handed
 * back to the plugin; what it asks for then is looked at anew. */
#include "net-credential.h"

#include <string.h>

#include "governance/directory.h"
#include "net-http.h"
#include "secret-slots.h"

/* The right to use it, for as long as the request is under way. */
static gboolean
reeve_net_credential_admit (const ReeveCapabilityCaller *caller, const char *slot, GError **error)
{
  ReeveCapabilityLease *lease = NULL;

  return reeve_capabilities_also (caller, "secret.use", &lease, error)
         && reeve_secret_slots_check (caller, lease, "secret.use", slot, error);
}

static gboolean
reeve_net_credential_check_place (const ReeveCapabilityCaller *caller, JsonObject *secret,
                                  gboolean of_settings, const ReeveNetGuardTarget *target,
                                  const char *slot, GError **error)
{
  g_auto (GStrv) origins = of_settings ? reeve_net_http_dup_origins (caller->settings)
                                       : reeve_directory_get_strings (secret, "origins");

  if (reeve_net_guard_is_granted (target, (const char *const *) origins))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "slot %.128s of plugin %s is for the places that %s, and not for %s", slot,
               caller->plugin_id, of_settings ? "its settings name" : "an administrator named",
               target->origin);
  return FALSE;
}

/* (transfer full): what a token's key begins with, whatever was in the slot */
static char *
reeve_net_credential_make_prefix (const ReeveCapabilityCaller *caller, const char *slot)
{
  const char *tenant_id = reeve_context_get_tenant_id (caller->context);

  return g_strdup_printf ("%s/%s/%s/", caller->plugin_id, slot, tenant_id != NULL ? tenant_id : "");
}

/* (transfer full): a token's key. It goes by all that was in the slot: the number of its revision
 * is that of another one where a slot was emptied, or a tenant got one of its own. */
static char *
reeve_net_credential_make_key (const char *prefix, JsonObject *secret)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), secret);
  g_autofree char *text = reeve_json_text (node);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);

  explicit_bzero (text, strlen (text));
  return g_strconcat (prefix, digest, NULL);
}

/* (transfer full) (nullable): @secret, or the token that is got with it */
static JsonObject *
reeve_net_credential_exchange (const ReeveCapabilityCaller *caller, JsonObject *secret,
                               const char *slot, const ReeveNetCredentialSource *source,
                               GError **error)
{
  g_autofree char *prefix = reeve_net_credential_make_prefix (caller, slot);
  g_autofree char *key = reeve_net_credential_make_key (prefix, secret);
  g_autofree char *token = NULL;
  JsonObject *bearer = NULL;

  if (strcmp (reeve_json_get_string (secret, "scheme", ""), "oauth2") != 0)
    return json_object_ref (secret);
  token = reeve_oauth_tokens_get (source->tokens, caller, key, secret, error);
  if (token == NULL)
    return NULL;
  bearer = json_object_new ();
  json_object_set_string_member (bearer, "scheme", "bearer");
  json_object_set_string_member (bearer, "value", token);
  return bearer;
}

static gboolean
reeve_net_credential_add (const ReeveCapabilityCaller *caller, ReeveHttpRequest *request,
                          const ReeveNetCredentialSource *source, const ReeveNetGuardTarget *target,
                          const char *slot, ReeveCredentialHeaders *headers, GError **error)
{
  gboolean of_settings = FALSE;
  g_autoptr (JsonObject) secret
      = reeve_secret_slots_find (caller, source->secrets, slot, &of_settings, error);
  g_autoptr (JsonObject) used = NULL;

  if (secret == NULL || (!of_settings && !reeve_net_credential_admit (caller, slot, error))
      || !reeve_net_credential_check_place (caller, secret, of_settings, target, slot, error))
    return FALSE;
  used = reeve_net_credential_exchange (caller, secret, slot, source, error);
  if (used != NULL && reeve_credential_scheme_apply (used, request, headers, error))
    return TRUE;
  g_prefix_error (error, "slot %.128s of plugin %s: ", slot, caller->plugin_id);
  return FALSE;
}

/**
 * reeve_net_credential_find:
 * @caller: which instance
 * @request: what it wants
 * @source: where secrets come from
 * @error: return location
 *
 * Returns: (transfer full): what the host attaches; %NULL with an error
 */
ReeveCredentialHeaders *
reeve_net_credential_find (const ReeveCapabilityCaller *caller, ReeveHttpRequest *request,
                           const ReeveNetCredentialSource *source, GError **error)
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
      if (!reeve_net_credential_add (caller, request, source, target, slots[i], headers, error))
        return NULL;
    }
  return g_steal_pointer (&headers);
}

/**
 * reeve_net_credential_forget:
 * @caller: which instance
 * @request: that was answered with 401
 * @source: where secrets come from
 *
 * Tokens that were fetched for it are not used again.
 */
void
reeve_net_credential_forget (const ReeveCapabilityCaller *caller, ReeveHttpRequest *request,
                             const ReeveNetCredentialSource *source)
{
  const char *const *slots = reeve_http_request_get_credentials (request);

  for (guint i = 0; slots[i] != NULL; i++)
    {
      g_autofree char *prefix = reeve_net_credential_make_prefix (caller, slots[i]);

      reeve_oauth_tokens_forget (source->tokens, prefix);
    }
}
