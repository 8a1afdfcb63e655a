/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Using a secret gives its name and its way, and never itself: `net.http` attaches it. Reading it
 * is another capability, which says what it risks. */
#include "secret-slots.h"

#include <string.h>

#include "loader/manifest-slots.h"

#define REEVE_SECRET_SLOTS_USE  "secret.use"
#define REEVE_SECRET_SLOTS_READ "secret.read"

/**
 * reeve_secret_slots_find:
 * @caller: which instance, in whose call
 * @secrets: (nullable): what administrators put into slots
 * @slot: which
 * @of_settings: (out): whether it stands in the instance's settings
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the secret and how it is used
 */
JsonObject *
reeve_secret_slots_find (const ReeveCapabilityCaller *caller, ReevePluginSecrets *secrets,
                         const char *slot, gboolean *of_settings, GError **error)
{
  JsonObject *found = caller->manifest != NULL && caller->settings != NULL
                          ? reeve_manifest_slots_find (caller->manifest, caller->settings, slot)
                          : NULL;
  GError *problem = NULL;

  *of_settings = found != NULL;
  if (found == NULL && secrets != NULL)
    found = reeve_plugin_secrets_find (secrets, caller->plugin_id, slot,
                                       reeve_context_get_tenant_id (caller->context), &problem);
  if (problem != NULL)
    g_propagate_error (error, problem);
  else if (found == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
                 "slot %.128s of plugin %s is empty: an administrator fills it: reevectl plugins "
                 "set-secret %s %.128s --scheme bearer --value FILE --origins https://HOST",
                 slot, caller->plugin_id, caller->plugin_id, slot);
  return found;
}

/**
 * reeve_secret_slots_check:
 * @caller: who asks
 * @lease: (nullable): the right to @capability
 * @capability: `secret.use` or `secret.read`
 * @slot: which
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CAPABILITY when no grant names the slot
 */
gboolean
reeve_secret_slots_check (const ReeveCapabilityCaller *caller, ReeveCapabilityLease *lease,
                          const char *capability, const char *slot, GError **error)
{
  guint64 mask = 0;

  if (lease == NULL)
    return TRUE;
  for (guint i = 0; i < reeve_capability_lease_get_length (lease); i++)
    {
      char **slots = reeve_capability_lease_get_terms (lease, i)->slots;

      if (slots == NULL || g_strv_contains ((const char *const *) slots, slot))
        mask |= G_GUINT64_CONSTANT (1) << i;
    }
  if (mask != 0)
    return reeve_capability_lease_rest_on (lease, mask, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
               "slot %.128s is not granted to plugin %s: reevectl plugins grant %s %s --param "
               "slots=%.128s --reason WHY",
               slot, caller->plugin_id, caller->plugin_id, capability, slot);
  return FALSE;
}

/* (transfer full) (nullable): what is in the slot that @params name */
static JsonObject *
reeve_secret_slots_open (const ReeveCapabilityCaller *caller, ReevePluginSecrets *secrets,
                         JsonNode *params, const char *capability, GError **error)
{
  JsonObject *object
      = params != NULL && JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL;
  const char *slot = object != NULL ? reeve_json_get_string (object, "slot", NULL) : NULL;
  gboolean of_settings = FALSE;

  if (slot == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s: wants a slot",
                   capability);
      return NULL;
    }
  if (!reeve_secret_slots_check (caller, caller->lease, capability, slot, error))
    return NULL;
  return reeve_secret_slots_find (caller, secrets, slot, &of_settings, error);
}

/* {slot} -> {scheme, origins?}: there is something in it */
static JsonNode *
reeve_secret_slots_use (const ReeveCapabilityCaller *caller, JsonNode *params, gpointer user_data,
                        GError **error)
{
  static const char *const shown[] = { "scheme", "origins" };
  g_autoptr (JsonObject) secret
      = reeve_secret_slots_open (caller, user_data, params, REEVE_SECRET_SLOTS_USE, error);
  g_autoptr (JsonObject) object = json_object_new ();

  if (secret == NULL)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (shown); i++)
    if (json_object_has_member (secret, shown[i]))
      json_object_set_member (object, shown[i],
                              json_node_ref (json_object_get_member (secret, shown[i])));
  return json_node_init_object (json_node_alloc (), object);
}

/* {slot} -> {scheme, value …}: all that is in it, but for who put it there */
static JsonNode *
reeve_secret_slots_read (const ReeveCapabilityCaller *caller, JsonNode *params, gpointer user_data,
                         GError **error)
{
  static const char *const hidden[]
      = { "plugin_id", "slot", "tenant_id", "created_at", "changed_at", "changed_by", "revision" };
  g_autoptr (JsonObject) secret
      = reeve_secret_slots_open (caller, user_data, params, REEVE_SECRET_SLOTS_READ, error);

  if (secret == NULL)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (hidden); i++)
    json_object_remove_member (secret, hidden[i]);
  return json_node_init_object (json_node_alloc (), secret);
}

/**
 * reeve_secret_slots_provide:
 * @secrets: what administrators put into slots
 * @capabilities: what this host offers
 *
 * Registers `secret.use` and `secret.read`.
 */
void
reeve_secret_slots_provide (ReevePluginSecrets *secrets, ReeveCapabilities *capabilities)
{
  reeve_capabilities_provide (capabilities, REEVE_SECRET_SLOTS_USE, reeve_secret_slots_use,
                              secrets);
  reeve_capabilities_provide (capabilities, REEVE_SECRET_SLOTS_READ, reeve_secret_slots_read,
                              secrets);
}
