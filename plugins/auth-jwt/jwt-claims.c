/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 7519 section 4, RFC 8725, RFC 9068. A claim of a type that it must not have refuses the token
 * as its absence does: what one reader takes for nothing another may take for something. */
#include "jwt-claims.h"

#include <openssl/evp.h>
#include <string.h>

/* the last second of the year 9999: what is later is no time */
#define JWT_CLAIMS_MAX_TIME  G_GINT64_CONSTANT (253402300799)
#define JWT_CLAIMS_MAX_TEXT  255
#define JWT_CLAIMS_MAX_ROLES 256
#define JWT_CLAIMS_MAX_DEPTH 8
#define JWT_CLAIMS_ID_BYTES  16

static gboolean
jwt_claims_fail (GError **error, const char *text)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, text);
  return FALSE;
}

/* (nullable): what a claim holds; a name with dots is first a name, then a path */
static JsonNode *
jwt_claims_find (JsonObject *claims, const char *path)
{
  for (guint depth = 0; depth < JWT_CLAIMS_MAX_DEPTH; depth++)
    {
      const char *dot = strchr (path, '.');
      g_autofree char *name = NULL;

      if (json_object_has_member (claims, path))
        return json_object_get_member (claims, path);
      if (dot == NULL)
        return NULL;
      name = g_strndup (path, (gsize) (dot - path));
      claims = reeve_json_get_object (claims, name);
      if (claims == NULL)
        return NULL;
      path = dot + 1;
    }
  return NULL;
}

/* (nullable): a text of bounded length */
static const char *
jwt_claims_get_text (JsonNode *node)
{
  const char *text
      = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;

  return text != NULL && *text != 0 && strlen (text) <= JWT_CLAIMS_MAX_TEXT ? text : NULL;
}

/**
 * jwt_claims_is_ours:
 * @settings: settings
 * @claims: of a token that nobody has verified yet
 *
 * Returns: whether the token says that it is of the issuer that is configured, byte for byte
 */
gboolean
jwt_claims_is_ours (const JwtSettings *settings, JsonObject *claims)
{
  return settings->issuer == NULL
         || g_strcmp0 (reeve_json_get_string (claims, "iss", NULL), settings->issuer) == 0;
}

/* ---- times ---- */

/* A NumericDate (RFC 7519 section 2), -1 where there is none. */
static gboolean
jwt_claims_read_time (JsonObject *claims, const char *name, double *seconds, GError **error)
{
  JsonNode *node = json_object_get_member (claims, name);
  GType type = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node)
                                                            : G_TYPE_INVALID;

  *seconds = -1;
  if (node == NULL)
    return TRUE;
  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
    *seconds = json_node_get_double (node);
  if (*seconds >= 0 && *seconds <= (double) JWT_CLAIMS_MAX_TIME)
    return TRUE;
  return jwt_claims_fail (error, "exp, nbf or iat is no time");
}

static gboolean
jwt_claims_check_times (const JwtSettings *settings, JsonObject *claims, gint64 now,
                        gint64 *expires_at, GError **error)
{
  double seconds = (double) now / G_USEC_PER_SEC;
  double leeway = (double) settings->leeway;
  double exp = -1;
  double nbf = -1;
  double iat = -1;

  if (!jwt_claims_read_time (claims, "exp", &exp, error)
      || !jwt_claims_read_time (claims, "nbf", &nbf, error)
      || !jwt_claims_read_time (claims, "iat", &iat, error))
    return FALSE;
  if (exp < 0 && settings->require_expiry)
    return jwt_claims_fail (error, "it has no exp");
  if (exp >= 0 && seconds >= exp + leeway)
    return jwt_claims_fail (error, "it has expired");
  if (nbf >= 0 && seconds < nbf - leeway)
    return jwt_claims_fail (error, "it is not valid yet, by its nbf");
  if (iat >= 0 && seconds < iat - leeway)
    return jwt_claims_fail (error, "it is of the future, by its iat");
  *expires_at = exp >= 0 ? (gint64) ((exp + leeway) * G_USEC_PER_SEC) : 0;
  if (settings->max_age == 0)
    return TRUE;
  if (iat < 0)
    return jwt_claims_fail (error, "it has no iat, and its age counts");
  if (seconds >= iat + (double) settings->max_age + leeway)
    return jwt_claims_fail (error, "it is too old, by its iat");
  seconds = (iat + (double) settings->max_age + leeway) * G_USEC_PER_SEC;
  *expires_at = *expires_at != 0 ? MIN (*expires_at, (gint64) seconds) : (gint64) seconds;
  return TRUE;
}

/* ---- audience and type ---- */

static gboolean
jwt_claims_check_audience (const JwtSettings *settings, JsonObject *claims, GError **error)
{
  JsonNode *node = json_object_get_member (claims, "aud");
  const char *const *wanted = (const char *const *) settings->audiences;
  JsonArray *many
      = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  gboolean found = FALSE;

  if (node == NULL)
    return wanted[0] == NULL || jwt_claims_fail (error, "it names no audience");
  if (many == NULL)
    {
      const char *one = jwt_claims_get_text (node);

      found = one != NULL && g_strv_contains (wanted, one);
    }
  for (guint i = 0; many != NULL && i < json_array_get_length (many); i++)
    {
      const char *one = jwt_claims_get_text (json_array_get_element (many, i));

      if (one == NULL)
        return jwt_claims_fail (error, "its audience is no list of texts");
      found |= g_strv_contains (wanted, one);
    }
  return found || jwt_claims_fail (error, "it is for another audience");
}

/* RFC 8725 section 3.11: without a type it is a plain JWT. */
static gboolean
jwt_claims_check_type (const JwtSettings *settings, const char *type, GError **error)
{
  return g_strv_contains ((const char *const *) settings->types, type != NULL ? type : "jwt")
         || jwt_claims_fail (error, "its typ is none of those that are taken");
}

/**
 * jwt_claims_check:
 * @settings: settings
 * @token: whose signature was verified
 * @now: µs since the epoch
 * @expires_at: (out): µs since the epoch until which it holds, leeway included; 0 for ever
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_UNAUTHENTICATED
 */
gboolean
jwt_claims_check (const JwtSettings *settings, const JwtToken *token, gint64 now,
                  gint64 *expires_at, GError **error)
{
  JsonObject *claims = json_node_get_object (token->claims);

  if (!jwt_claims_is_ours (settings, claims))
    return jwt_claims_fail (error, "it is of another issuer");
  return jwt_claims_check_type (settings, token->type, error)
         && jwt_claims_check_times (settings, claims, now, expires_at, error)
         && jwt_claims_check_audience (settings, claims, error);
}

/* ---- whom they speak of ---- */

/* (nullable): the one of @names that is there; two that differ are none */
static gboolean
jwt_claims_pick (JsonObject *claims, const char *name, const char *const *names, JsonNode **found,
                 GError **error)
{
  *found = NULL;
  if (name != NULL)
    {
      *found = jwt_claims_find (claims, name);
      return TRUE;
    }
  for (guint i = 0; names[i] != NULL; i++)
    {
      JsonNode *node = json_object_get_member (claims, names[i]);

      if (node != NULL && *found != NULL && !json_node_equal (node, *found))
        return jwt_claims_fail (error, "it names two tenants, or two sets of roles");
      if (node != NULL)
        *found = node;
    }
  return TRUE;
}

/* (nullable): its tenant */
static const char *
jwt_claims_read_tenant (const JwtSettings *settings, JsonObject *claims, GError **error)
{
  static const char *const usual[] = { "org_id", "tenant_id", NULL };
  JsonNode *node = NULL;
  const char *tenant = NULL;

  if (!jwt_claims_pick (claims, settings->tenant_claim, usual, &node, error))
    return NULL;
  tenant = node == NULL ? settings->default_tenant : jwt_claims_get_text (node);
  if (tenant != NULL && node != NULL && settings->tenant_map != NULL)
    tenant = g_hash_table_lookup (settings->tenant_map, tenant);
  if (tenant == NULL)
    jwt_claims_fail (error, "it names no tenant, or none that is known here");
  return tenant;
}

static void
jwt_claims_add_role (const JwtSettings *settings, GPtrArray *roles, const char *name)
{
  const char *const one[] = { name, NULL };
  const char *const *mapped = one;

  if (settings->role_map != NULL)
    mapped = g_hash_table_lookup (settings->role_map, name);
  for (guint i = 0; mapped != NULL && mapped[i] != NULL; i++)
    if (!g_ptr_array_find_with_equal_func (roles, mapped[i], g_str_equal, NULL))
      g_ptr_array_add (roles, g_strdup (mapped[i]));
}

/* @roles: (out) (nullable): %NULL when the token says nothing of roles */
static gboolean
jwt_claims_read_roles (const JwtSettings *settings, JsonObject *claims, char ***roles,
                       GError **error)
{
  static const char *const usual[] = { "roles", NULL };
  static const char *const single[] = { "role", NULL };
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  JsonNode *node = NULL;
  JsonArray *many = NULL;
  const char *one = NULL;

  *roles = NULL;
  if (!jwt_claims_pick (claims, settings->roles_claim, usual, &node, error)
      || (node == NULL && settings->roles_claim == NULL
          && !jwt_claims_pick (claims, NULL, single, &node, error)))
    return FALSE;
  if (node == NULL)
    {
      *roles = g_strdupv (settings->default_roles);
      return TRUE;
    }
  one = jwt_claims_get_text (node);
  many = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  if ((one == NULL && many == NULL)
      || (many != NULL && json_array_get_length (many) > JWT_CLAIMS_MAX_ROLES))
    return jwt_claims_fail (error, "its roles are no text and no list, or too many");
  if (one != NULL)
    jwt_claims_add_role (settings, found, one);
  for (guint i = 0; many != NULL && i < json_array_get_length (many); i++)
    {
      const char *role = jwt_claims_get_text (json_array_get_element (many, i));

      if (role == NULL)
        return jwt_claims_fail (error, "its roles are no list of texts");
      jwt_claims_add_role (settings, found, role);
    }
  g_ptr_array_add (found, NULL);
  *roles = (char **) g_ptr_array_free (g_steal_pointer (&found), FALSE);
  return TRUE;
}

/* What else is asked for: texts, numbers and truth values. */
static void
jwt_claims_add_attributes (const JwtSettings *settings, JsonObject *claims, ReeveIdentity *identity)
{
  g_autoptr (JsonObject) attributes = json_object_new ();
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), attributes);
  GHashTableIter iter;
  gpointer name = NULL;
  gpointer claim = NULL;

  if (settings->attributes == NULL)
    return;
  g_hash_table_iter_init (&iter, settings->attributes);
  while (g_hash_table_iter_next (&iter, &name, &claim))
    {
      JsonNode *value = jwt_claims_find (claims, claim);
      gboolean text = value != NULL && JSON_NODE_HOLDS_VALUE (value)
                      && json_node_get_value_type (value) == G_TYPE_STRING;

      if (text ? jwt_claims_get_text (value) != NULL
               : value != NULL && JSON_NODE_HOLDS_VALUE (value))
        json_object_set_member (attributes, name, json_node_copy (value));
    }
  reeve_identity_set_attributes (identity, node);
}

/* Fetched once: libcrypto looks for an algorithm by its name at each use otherwise. */
static const EVP_MD *
jwt_claims_get_sha256 (void)
{
  static gsize md = 0;

  if (g_once_init_enter (&md))
    g_once_init_leave (&md, (gsize) EVP_MD_fetch (NULL, "SHA256", NULL));
  return (const EVP_MD *) md;
}

/* The same person has the same id for ever, and no two issuers' people have one between them. */
static char *
jwt_claims_make_user_id (const char *issuer, const char *subject)
{
  g_autoptr (GByteArray) text = g_byte_array_new ();
  guint8 digest[EVP_MAX_MD_SIZE] = { 0 };
  static const char digits[] = "0123456789abcdef";
  char *id = g_malloc (4 + 2 * JWT_CLAIMS_ID_BYTES + 1);

  g_byte_array_append (text, (const guint8 *) issuer, (guint) strlen (issuer) + 1);
  g_byte_array_append (text, (const guint8 *) subject, (guint) strlen (subject));
  if (EVP_Digest (text->data, text->len, digest, NULL, jwt_claims_get_sha256 (), NULL) != 1)
    g_error ("no SHA-256");
  memcpy (id, "usr_", 4);
  for (guint i = 0; i < JWT_CLAIMS_ID_BYTES; i++)
    {
      id[4 + 2 * i] = digits[digest[i] >> 4];
      id[5 + 2 * i] = digits[digest[i] & 15];
    }
  id[4 + 2 * JWT_CLAIMS_ID_BYTES] = 0;
  return id;
}

static gboolean
jwt_claims_is_user_id (const char *text)
{
  for (const char *c = text; *c != 0; c++)
    if (!g_ascii_isalnum (*c) && strchr ("-._@", *c) == NULL)
      return FALSE;
  return TRUE;
}

/**
 * jwt_claims_make_identity:
 * @settings: settings
 * @claims: of a token that was verified and holds
 * @error: return location
 *
 * Returns: (transfer full): whom they speak of; %NULL with %REEVE_ERROR_UNAUTHENTICATED
 */
ReeveIdentity *
jwt_claims_make_identity (const JwtSettings *settings, JsonObject *claims, GError **error)
{
  const char *subject = jwt_claims_get_text (json_object_get_member (claims, "sub"));
  const char *issuer = reeve_json_get_string (claims, "iss", "");
  const char *tenant = NULL;
  g_auto (GStrv) roles = NULL;
  g_autofree char *user_id = NULL;
  ReeveIdentity *identity = NULL;
  double issued_at = -1;

  if (subject == NULL || (settings->subject_is_user_id && !jwt_claims_is_user_id (subject)))
    {
      jwt_claims_fail (error, "its sub is missing, or is no text that can be a user's id");
      return NULL;
    }
  tenant = jwt_claims_read_tenant (settings, claims, error);
  if (tenant == NULL || !jwt_claims_read_roles (settings, claims, &roles, error))
    return NULL;
  user_id = settings->subject_is_user_id ? g_strdup (subject)
                                         : jwt_claims_make_user_id (issuer, subject);
  identity = reeve_identity_new (tenant, user_id, (const char *const *) roles, "jwt");
  reeve_identity_set_subject (identity, issuer, subject);
  reeve_identity_set_username (
      identity, jwt_claims_get_text (jwt_claims_find (claims, settings->username_claim)));
  reeve_identity_set_email (identity,
                            jwt_claims_get_text (jwt_claims_find (claims, settings->email_claim)));
  reeve_identity_set_provision (identity, settings->provision);
  if (jwt_claims_read_time (claims, "iat", &issued_at, NULL) && issued_at >= 0)
    reeve_identity_set_issued_at (identity, (gint64) (issued_at * G_USEC_PER_SEC));
  jwt_claims_add_attributes (settings, claims, identity);
  return identity;
}
