/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A property of the settings' schema that is a secret says so:
 *
 *   "token": {"type": "string", "writeOnly": true, "x-reeve-slot": {"scheme": "header",
 *             "header": "Authorization", "prefix": "Splunk "}}
 *
 * The setting's name is the slot's. Its value stays with the host, which attaches it to requests
 * that name the slot; the plugin never gets it, wherever it runs. */
#include "manifest-slots.h"

#include <string.h>

#include "base/http-fields.h"

#include "manifest-private.h"

#define REEVE_MANIFEST_SLOTS_KEYWORD "x-reeve-slot"

static const struct
{
  const char *scheme;
  const char *needs; /* (nullable): a member of the keyword */
} reeve_manifest_slots_schemes[] = {
  { "bearer", NULL },  { "header", "header" }, { "basic", "username" },
  { "headers", NULL }, { "webhook", NULL },
};

/* (transfer none) (nullable) */
static JsonObject *
reeve_manifest_slots_get_keyword (JsonObject *properties, const char *name)
{
  JsonObject *property = properties != NULL ? reeve_json_get_object (properties, name) : NULL;

  return property != NULL ? reeve_json_get_object (property, REEVE_MANIFEST_SLOTS_KEYWORD) : NULL;
}

/* (transfer none) (nullable): of the schema's `properties` */
static JsonObject *
reeve_manifest_slots_get_properties (ReeveManifest *self)
{
  return JSON_NODE_HOLDS_OBJECT (self->settings_schema)
             ? reeve_json_get_object (json_node_get_object (self->settings_schema), "properties")
             : NULL;
}

/* What can only fail when it is used. */
static gboolean
reeve_manifest_slots_check_header (JsonObject *keyword, GError **error)
{
  const char *header = reeve_json_get_string (keyword, "header", NULL);

  if (header == NULL
      || (reeve_http_fields_is_token (header) && !reeve_http_fields_is_framing (header)))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               REEVE_MANIFEST_SLOTS_KEYWORD ": header %s cannot be sent", header);
  return FALSE;
}

static gboolean
reeve_manifest_slots_check_keyword (JsonObject *keyword, GError **error)
{
  const char *scheme = keyword != NULL ? reeve_json_get_string (keyword, "scheme", "") : "";

  for (guint i = 0; i < G_N_ELEMENTS (reeve_manifest_slots_schemes); i++)
    {
      const char *needs = reeve_manifest_slots_schemes[i].needs;

      if (strcmp (scheme, reeve_manifest_slots_schemes[i].scheme) != 0)
        continue;
      if (needs == NULL || reeve_json_get_string (keyword, needs, NULL) != NULL)
        return reeve_manifest_slots_check_header (keyword, error);
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   REEVE_MANIFEST_SLOTS_KEYWORD ": scheme %s needs the member %s", scheme, needs);
      return FALSE;
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               REEVE_MANIFEST_SLOTS_KEYWORD
               " is an object whose scheme is bearer, header, basic, headers or webhook");
  return FALSE;
}

/* So that it is shown nowhere either. */
static gboolean
reeve_manifest_slots_check_secret (JsonObject *property, GError **error)
{
  if (reeve_json_get_boolean (property, "writeOnly", FALSE)
      || reeve_json_get_boolean (property, "x-reeve-secret", FALSE))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                       REEVE_MANIFEST_SLOTS_KEYWORD " needs writeOnly beside it");
  return FALSE;
}

/* Whoever writes the keyword means a secret: what cannot be read as one is no manifest. */
gboolean
reeve_manifest_slots_check (ReeveManifest *self, GError **error)
{
  JsonObject *properties = reeve_manifest_slots_get_properties (self);
  g_autoptr (GList) names = properties != NULL ? json_object_get_members (properties) : NULL;

  for (GList *l = names; l != NULL; l = l->next)
    {
      JsonObject *property = reeve_json_get_object (properties, l->data);

      if (property == NULL || !json_object_has_member (property, REEVE_MANIFEST_SLOTS_KEYWORD)
          || (reeve_manifest_slots_check_keyword (
                  reeve_manifest_slots_get_keyword (properties, l->data), error)
              && reeve_manifest_slots_check_secret (property, error)))
        continue;
      g_prefix_error (error, "%s: ", (const char *) l->data);
      return FALSE;
    }
  return TRUE;
}

/**
 * reeve_manifest_slots_hide:
 * @self: a manifest
 * @settings: that fit its schema
 *
 * Returns: (transfer full): settings without what is secret
 */
JsonObject *
reeve_manifest_slots_hide (ReeveManifest *self, JsonObject *settings)
{
  JsonObject *properties = reeve_manifest_slots_get_properties (self);
  g_autoptr (GList) names = json_object_get_members (settings);
  JsonObject *shown = json_object_new ();

  for (GList *l = names; l != NULL; l = l->next)
    {
      JsonNode *value = json_object_get_member (settings, l->data);

      if (reeve_manifest_slots_get_keyword (properties, l->data) == NULL)
        json_object_set_member (shown, l->data, json_node_copy (value));
      else if (JSON_NODE_HOLDS_OBJECT (value))
        json_object_set_object_member (shown, l->data, json_object_new ());
      else
        json_object_set_string_member (shown, l->data, l->data);
    }
  return shown;
}

/* (transfer full): a copy of texts by name; shares nothing, for counts of objects are not atomic */
static JsonObject *
reeve_manifest_slots_copy_headers (JsonObject *headers)
{
  g_autoptr (GList) names = json_object_get_members (headers);
  JsonObject *copy = json_object_new ();

  for (GList *l = names; l != NULL; l = l->next)
    json_object_set_string_member (copy, l->data, reeve_json_get_string (headers, l->data, ""));
  return copy;
}

/**
 * reeve_manifest_slots_find:
 * @self: a manifest
 * @settings: of an instance, with its secrets
 * @slot: name of a slot
 *
 * Returns: (transfer full) (nullable): the secret and how it is used
 */
JsonObject *
reeve_manifest_slots_find (ReeveManifest *self, JsonObject *settings, const char *slot)
{
  JsonObject *keyword
      = reeve_manifest_slots_get_keyword (reeve_manifest_slots_get_properties (self), slot);
  const char *value = reeve_json_get_string (settings, slot, NULL);
  JsonObject *headers = reeve_json_get_object (settings, slot);
  JsonObject *found = NULL;
  static const char *const copied[] = { "scheme", "header", "prefix" };

  if (keyword == NULL || (value == NULL && headers == NULL))
    return NULL;
  found = json_object_new ();
  for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
    {
      const char *text = reeve_json_get_string (keyword, copied[i], NULL);

      if (text != NULL)
        json_object_set_string_member (found, copied[i], text);
    }
  if (value != NULL)
    json_object_set_string_member (found, "value", value);
  else
    json_object_set_object_member (found, "headers", reeve_manifest_slots_copy_headers (headers));
  if (reeve_json_get_string (keyword, "username", NULL) != NULL)
    json_object_set_string_member (
        found, "username",
        reeve_json_get_string (settings, reeve_json_get_string (keyword, "username", ""), ""));
  return found;
}
