/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Presets: a name and the few words that differ from customer to customer, instead of addresses to
 * be put together by hand. A setting that is given wins over the preset's. */
#include "jwt-preset.h"

#include <string.h>

typedef struct
{
  const char *member;
  const char *value; /* {word} stands for the setting of that name */
} JwtPresetMember;

typedef struct
{
  const char *name;
  JwtPresetMember members[7];
} JwtPreset;

/* clang-format off */
static const JwtPreset jwt_presets[] = {
  { "azure", {
    { "issuer", "https://login.microsoftonline.com/{directory_id}/v2.0" },
    { "jwks_uri", "https://login.microsoftonline.com/{directory_id}/discovery/v2.0/keys" },
    { "audience", "api://{application_id}" },
    { "tenant_claim", "tid" },
    { "roles_claim", "roles" } } },
  { "okta", {
    { "issuer", "https://{domain}.okta.com" },
    { "jwks_uri", "https://{domain}.okta.com/oauth2/v1/keys" },
    { "audience", "api://taskforce" },
    { "roles_claim", "groups" } } },
  { "auth0", {
    { "issuer", "https://{domain}/" },
    { "jwks_uri", "https://{domain}/.well-known/jwks.json" } } },
  { "keycloak", {
    { "issuer", "https://{domain}/realms/{realm}" },
    { "jwks_uri", "https://{domain}/realms/{realm}/protocol/openid-connect/certs" },
    { "roles_claim", "realm_access.roles" } } },
};
/* clang-format on */

/* A word becomes part of an address: it must not be able to become more. */
static gboolean
jwt_preset_is_word (const char *text)
{
  for (const char *c = text; *c != 0; c++)
    if (!g_ascii_isalnum (*c) && strchr ("-._:", *c) == NULL)
      return FALSE;
  return *text != 0;
}

/* (transfer full) (nullable): @pattern with the settings' words in it */
static char *
jwt_preset_fill (const char *preset, const char *pattern, JsonObject *settings, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (const char *at = pattern; *at != 0; at++)
    {
      const char *end = *at == '{' ? strchr (at, '}') : NULL;
      g_autofree char *name = end != NULL ? g_strndup (at + 1, (gsize) (end - at - 1)) : NULL;
      const char *word = name != NULL ? reeve_json_get_string (settings, name, NULL) : NULL;

      if (name == NULL)
        {
          g_string_append_c (text, *at);
          continue;
        }
      if (word == NULL || !jwt_preset_is_word (word))
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                       "preset %s wants %s: letters, digits, - . _ and : alone", preset, name);
          return NULL;
        }
      g_string_append (text, word);
      at = end;
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Where an issuer is given, the preset's address of keys is another issuer's. */
static gboolean
jwt_preset_is_wanted (JsonObject *given, const char *member)
{
  return !json_object_has_member (given, member)
         && !(strcmp (member, "jwks_uri") == 0 && json_object_has_member (given, "issuer"));
}

static gboolean
jwt_preset_fill_all (const JwtPreset *preset, JsonObject *given, JsonObject *filled, GError **error)
{
  for (guint i = 0; preset->members[i].member != NULL; i++)
    {
      const JwtPresetMember *member = &preset->members[i];
      g_autofree char *text = NULL;

      if (!jwt_preset_is_wanted (given, member->member))
        continue;
      text = jwt_preset_fill (preset->name, member->value, given, error);
      if (text == NULL)
        return FALSE;
      json_object_set_string_member (filled, member->member, text);
    }
  if (!json_object_has_member (given, "algorithms") && !json_object_has_member (given, "algorithm"))
    json_object_set_string_member (filled, "algorithm", "RS256");
  return TRUE;
}

/**
 * jwt_preset_apply:
 * @settings: what an administrator wrote
 * @error: return location
 *
 * Returns: (transfer full): the settings with what their preset knows; %NULL with
 * %REEVE_ERROR_CONFIGURATION
 */
JsonObject *
jwt_preset_apply (JsonObject *settings, GError **error)
{
  const char *name = reeve_json_get_string (settings, "preset", NULL);
  g_autoptr (JsonObject) filled = json_object_new ();
  g_autoptr (GList) members = json_object_get_members (settings);

  for (GList *at = members; at != NULL; at = at->next)
    json_object_set_member (filled, at->data,
                            json_node_copy (json_object_get_member (settings, at->data)));
  if (name == NULL)
    return g_steal_pointer (&filled);
  for (guint i = 0; i < G_N_ELEMENTS (jwt_presets); i++)
    if (strcmp (jwt_presets[i].name, name) == 0)
      return jwt_preset_fill_all (&jwt_presets[i], settings, filled, error)
                 ? g_steal_pointer (&filled)
                 : NULL;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "there is no preset %s", name);
  return NULL;
}
