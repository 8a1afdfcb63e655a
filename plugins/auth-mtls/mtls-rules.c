/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts are compared byte for byte; all that a rule names must match. A rule that would match
 * whatever comes, or never, is refused at start. */
#include "mtls-rules.h"

#include <reeve-plugin-1.h>
#include <string.h>

#define MTLS_RULES_FINGERPRINT 64 /* hexadecimal digits of SHA-256 */

/* what a rule may name, and where it stands in the description of a certificate */
static const struct
{
  const char *name;
  const char *member;
  gboolean list; /* one of several */
} mtls_rules_kinds[] = {
  { "fingerprint", "fingerprint", FALSE },
  { "subject", "subject", FALSE },
  { "issuer", "issuer", FALSE },
  { "common_name", "common_name", FALSE },
  { "serial", "serial", FALSE },
  { "uri", "uris", TRUE },
  { "email", "emails", TRUE },
  { "dns_name", "dns_names", TRUE },
};

#define MTLS_RULES_KINDS G_N_ELEMENTS (mtls_rules_kinds)

typedef struct
{
  char *wanted[MTLS_RULES_KINDS]; /* NULL: whatever it is */
  char *tenant_id;
  char *user_id;
  char **roles;
  MtlsPrincipal principal; /* of the three */
} MtlsRulesRow;

struct _MtlsRules
{
  GPtrArray *rows;
};

static void
mtls_rules_row_free (gpointer data)
{
  MtlsRulesRow *row = data;

  for (guint i = 0; i < MTLS_RULES_KINDS; i++)
    g_free (row->wanted[i]);
  g_free (row->tenant_id);
  g_free (row->user_id);
  g_strfreev (row->roles);
  g_free (row);
}

/* (transfer full) (nullable): as certificates have it, from the forms in which tools print it */
static char *
mtls_rules_read_fingerprint (const char *text)
{
  g_autoptr (GString) hex = g_string_new (NULL);

  for (const char *c = text; *c != '\0'; c++)
    if (g_ascii_isxdigit (*c))
      g_string_append_c (hex, g_ascii_tolower (*c));
    else if (*c != ':')
      return NULL;
  return hex->len == MTLS_RULES_FINGERPRINT ? g_strdup (hex->str) : NULL;
}

static gboolean
mtls_rules_read_match (MtlsRulesRow *row, JsonObject *match, guint number, GError **error)
{
  for (guint i = 0; i < MTLS_RULES_KINDS; i++)
    {
      const char *text = reeve_json_get_string (match, mtls_rules_kinds[i].name, NULL);

      row->wanted[i]
          = text != NULL && i == 0 ? mtls_rules_read_fingerprint (text) : g_strdup (text);
      if ((text == NULL) == (row->wanted[i] == NULL))
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "rules[%u].match.fingerprint: is no SHA-256 in hexadecimal", number);
      return FALSE;
    }
  return TRUE;
}

/* What an authority writes into a certificate is unique to that authority alone: a rule by serial
 * number names whose. */
static gboolean
mtls_rules_check (MtlsRulesRow *row, JsonObject *match, guint number, GError **error)
{
  gboolean issuer = json_object_has_member (match, "issuer");
  gboolean serial = json_object_has_member (match, "serial");

  if (serial && !issuer)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                 "rules[%u].match.serial: needs issuer, for each authority numbers by itself",
                 number);
  else if (issuer && json_object_get_size (match) == 1)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                 "rules[%u].match: all certificates of an authority would be the same user",
                 number);
  else
    return TRUE;
  return FALSE;
}

/* Is whatever @later matches taken by @earlier, which is asked first? */
static gboolean
mtls_rules_is_covered (const MtlsRulesRow *later, const MtlsRulesRow *earlier)
{
  for (guint i = 0; i < MTLS_RULES_KINDS; i++)
    if (earlier->wanted[i] != NULL && g_strcmp0 (earlier->wanted[i], later->wanted[i]) != 0)
      return FALSE;
  return TRUE;
}

/* One who stands for two, as in two tenants, is the first one, and the second is nobody. */
static gboolean
mtls_rules_check_order (MtlsRules *self, const MtlsRulesRow *row, guint number, GError **error)
{
  for (guint i = 0; i < number; i++)
    if (mtls_rules_is_covered (row, self->rows->pdata[i]))
      {
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                     "rules[%u].match: never comes to be asked, for rules[%u] takes all that it "
                     "would match",
                     number, i);
        return FALSE;
      }
  return TRUE;
}

static gboolean
mtls_rules_add (MtlsRules *self, JsonObject *rule, guint number, GError **error)
{
  MtlsRulesRow *row = g_new0 (MtlsRulesRow, 1);
  JsonObject *match = reeve_json_get_object (rule, "match");
  JsonArray *roles = reeve_json_get_array (rule, "roles");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_ptr_array_add (self->rows, row);
  if (!mtls_rules_read_match (row, match, number, error)
      || !mtls_rules_check (row, match, number, error)
      || !mtls_rules_check_order (self, row, number, error))
    return FALSE;
  for (guint i = 0; roles != NULL && i < json_array_get_length (roles); i++)
    g_strv_builder_add (builder, json_array_get_string_element (roles, i));
  row->tenant_id = g_strdup (reeve_json_get_string (rule, "tenant_id", "default"));
  row->user_id = g_strdup (reeve_json_get_string (rule, "user_id", ""));
  row->roles = g_strv_builder_end (builder);
  row->principal
      = (MtlsPrincipal){ row->tenant_id, row->user_id, (const char *const *) row->roles };
  return TRUE;
}

/**
 * mtls_rules_new:
 * @settings: {rules[{match{}, tenant_id?, user_id, roles[]}]}
 * @error: return location
 *
 * Returns: (transfer full): the rules; %NULL with %REEVE_ERROR_CONFIGURATION
 */
MtlsRules *
mtls_rules_new (JsonObject *settings, GError **error)
{
  g_autoptr (MtlsRules) self = g_new0 (MtlsRules, 1);
  JsonArray *rules = reeve_json_get_array (settings, "rules");

  self->rows = g_ptr_array_new_with_free_func (mtls_rules_row_free);
  for (guint i = 0; rules != NULL && i < json_array_get_length (rules); i++)
    if (!mtls_rules_add (self, json_array_get_object_element (rules, i), i, error))
      return NULL;
  return g_steal_pointer (&self);
}

/**
 * mtls_rules_free:
 * @self: rules
 */
void
mtls_rules_free (MtlsRules *self)
{
  g_ptr_array_unref (self->rows);
  g_free (self);
}

static gboolean
mtls_rules_is_among (JsonArray *texts, const char *wanted)
{
  for (guint i = 0; texts != NULL && i < json_array_get_length (texts); i++)
    if (g_strcmp0 (json_array_get_string_element (texts, i), wanted) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
mtls_rules_matches (const MtlsRulesRow *row, JsonObject *certificate)
{
  for (guint i = 0; i < MTLS_RULES_KINDS; i++)
    {
      const char *member = mtls_rules_kinds[i].member;
      const char *wanted = row->wanted[i];

      if (wanted == NULL)
        continue;
      if (mtls_rules_kinds[i].list
              ? !mtls_rules_is_among (reeve_json_get_array (certificate, member), wanted)
              : g_strcmp0 (reeve_json_get_string (certificate, member, NULL), wanted) != 0)
        return FALSE;
    }
  return TRUE;
}

/**
 * mtls_rules_find:
 * @self: rules
 * @certificate: what stands in it
 *
 * Returns: (transfer none) (nullable): whom it stands for by the first rule that matches
 */
const MtlsPrincipal *
mtls_rules_find (MtlsRules *self, JsonObject *certificate)
{
  for (guint i = 0; i < self->rows->len; i++)
    {
      const MtlsRulesRow *row = self->rows->pdata[i];

      if (mtls_rules_matches (row, certificate))
        return &row->principal;
    }
  return NULL;
}
