/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 7519 section 4, RFC 8725, RFC 9068. A claim of a type that it must not have refuses the token
 * as its absence does: what one reader takes for nothing another may take for something. */
#include "jwt-claims.h"

#include <openssl/evp.h>
#include <string.h>

/* the last second of the year 9999: what is later is no time */
#define JWT_CLAIMS_MAX_TIME  G_GINT64_CONSTANT (253402300799)
#define JWT_CLAIMS_MAX_ROLES 256
#define JWT_CLAIMS_MAX_DEPTH 8
#define JWT_CLAIMS_ID_BYTES  16

static gboolean
jwt_claims_fail (GError **error, const char *text)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, text);
  return FALSE;
}

/* A claim that was found, and what its text stands in if that is not the token. */
typedef struct
{
  ReeveJsonSlice value; /* start: NULL when there is none */
  char *own;
} JwtClaimsFound;

static void
jwt_claims_found_clear (JwtClaimsFound *self)
{
  g_free (self->own);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JwtClaimsFound, jwt_claims_found_clear)

/* (nullable): what stands below an object; a name with dots is first a name, then a path */
static JsonNode *
jwt_claims_descend (JsonObject *object, const char *path)
{
  for (guint depth = 1; depth < JWT_CLAIMS_MAX_DEPTH && object != NULL; depth++)
    {
      const char *dot = strchr (path, '.');
      g_autofree char *name = NULL;

      if (json_object_has_member (object, path))
        return json_object_get_member (object, path);
      if (dot == NULL)
        return NULL;
      name = g_strndup (path, (gsize) (dot - path));
      object = reeve_json_get_object (object, name);
      path = dot + 1;
    }
  return NULL;
}

/* What a claim holds. Only what lies in another is made a tree of. */
static void
jwt_claims_find (const JwtClaimSet *claims, const char *path, JwtClaimsFound *found)
{
  const ReeveJsonSlice *value = jwt_claim_set_get (claims, path);
  const char *dot = strchr (path, '.');
  g_autofree char *name = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonNode *inner = NULL;

  *found = (JwtClaimsFound){ { NULL, 0 }, NULL };
  if (value != NULL)
    found->value = *value;
  if (value != NULL || dot == NULL)
    return;
  name = g_strndup (path, (gsize) (dot - path));
  value = jwt_claim_set_get (claims, name);
  node = value != NULL && *value->start == '{' ? jwt_claim_make_node (value) : NULL;
  inner = node != NULL ? jwt_claims_descend (json_node_get_object (node), dot + 1) : NULL;
  if (inner == NULL)
    return;
  found->own = reeve_json_canonical (inner);
  if (found->own != NULL)
    found->value = (ReeveJsonSlice){ found->own, strlen (found->own) };
}

/* (nullable) */
static const ReeveJsonSlice *
jwt_claims_get (const JwtClaimsFound *found)
{
  return found->value.start != NULL ? &found->value : NULL;
}

/**
 * jwt_claims_is_ours:
 * @settings: settings
 * @claims: of a token that nobody has verified yet
 *
 * Returns: whether the token says that it is of the issuer that is configured, byte for byte
 */
gboolean
jwt_claims_is_ours (const JwtSettings *settings, const JwtClaimSet *claims)
{
  return settings->issuer == NULL
         || jwt_claim_is_text (jwt_claim_set_get (claims, "iss"), settings->issuer);
}

/* ---- times ---- */

/* A NumericDate (RFC 7519 section 2), -1 where there is none. */
static gboolean
jwt_claims_read_time (const JwtClaimSet *claims, const char *name, double *seconds, GError **error)
{
  const ReeveJsonSlice *value = jwt_claim_set_get (claims, name);

  *seconds = -1;
  if (value == NULL)
    return TRUE;
  if (!jwt_claim_read_number (value, seconds))
    *seconds = -1;
  if (*seconds >= 0 && *seconds <= (double) JWT_CLAIMS_MAX_TIME)
    return TRUE;
  return jwt_claims_fail (error, "exp, nbf or iat is no time");
}

static gboolean
jwt_claims_check_times (const JwtSettings *settings, const JwtClaimSet *claims, gint64 now,
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
jwt_claims_check_audience (const JwtSettings *settings, const JwtClaimSet *claims, GError **error)
{
  const ReeveJsonSlice *value = jwt_claim_set_get (claims, "aud");
  const char *const *wanted = (const char *const *) settings->audiences;
  ReeveJsonSlice element = { NULL, 0 };
  JwtClaimText one;
  gboolean found = FALSE;

  if (value == NULL)
    return wanted[0] == NULL || jwt_claims_fail (error, "it names no audience");
  if (!jwt_claim_is_array (value))
    found = jwt_claim_read_text (value, one) && g_strv_contains (wanted, one);
  while (jwt_claim_is_array (value) && jwt_claim_next (value, &element))
    {
      if (!jwt_claim_read_text (&element, one))
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
  const JwtClaimSet *claims = token->claims;

  if (!jwt_claims_is_ours (settings, claims))
    return jwt_claims_fail (error, "it is of another issuer");
  return jwt_claims_check_type (settings, token->type, error)
         && jwt_claims_check_times (settings, claims, now, expires_at, error)
         && jwt_claims_check_audience (settings, claims, error);
}

/* ---- whom they speak of ---- */

/* Two ways to write one value are one. */
static gboolean
jwt_claims_are_equal (const ReeveJsonSlice *a, const ReeveJsonSlice *b)
{
  g_autoptr (JsonNode) left = jwt_claim_make_node (a);
  g_autoptr (JsonNode) right = jwt_claim_make_node (b);

  return left != NULL && right != NULL && json_node_equal (left, right);
}

/* (nullable): the one of @names that is there; two that differ are none */
static gboolean
jwt_claims_pick (const JwtClaimSet *claims, const char *name, const char *const *names,
                 JwtClaimsFound *found, GError **error)
{
  *found = (JwtClaimsFound){ { NULL, 0 }, NULL };
  if (name != NULL)
    {
      jwt_claims_find (claims, name, found);
      return TRUE;
    }
  for (guint i = 0; names[i] != NULL; i++)
    {
      const ReeveJsonSlice *value = jwt_claim_set_get (claims, names[i]);

      if (value != NULL && found->value.start != NULL
          && !jwt_claims_are_equal (value, &found->value))
        return jwt_claims_fail (error, "it names two tenants, or two sets of roles");
      if (value != NULL)
        found->value = *value;
    }
  return TRUE;
}

/* (transfer full) (nullable): its tenant */
static char *
jwt_claims_read_tenant (const JwtSettings *settings, const JwtClaimSet *claims, GError **error)
{
  static const char *const usual[] = { "org_id", "tenant_id", NULL };
  g_auto (JwtClaimsFound) found = { { NULL, 0 }, NULL };
  JwtClaimText text;
  const char *tenant = NULL;

  if (!jwt_claims_pick (claims, settings->tenant_claim, usual, &found, error))
    return NULL;
  if (found.value.start == NULL)
    tenant = settings->default_tenant;
  else if (jwt_claim_read_text (&found.value, text))
    tenant = settings->tenant_map != NULL ? g_hash_table_lookup (settings->tenant_map, text) : text;
  if (tenant == NULL)
    jwt_claims_fail (error, "it names no tenant, or none that is known here");
  return g_strdup (tenant);
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

static gboolean
jwt_claims_add_roles (const JwtSettings *settings, const ReeveJsonSlice *value, GPtrArray *roles,
                      GError **error)
{
  ReeveJsonSlice element = { NULL, 0 };
  JwtClaimText role;

  if (jwt_claim_read_text (value, role))
    jwt_claims_add_role (settings, roles, role);
  else if (!jwt_claim_is_array (value))
    return jwt_claims_fail (error, "its roles are no text and no list, or too many");
  for (guint n = 0; jwt_claim_is_array (value) && jwt_claim_next (value, &element); n++)
    {
      if (n == JWT_CLAIMS_MAX_ROLES)
        return jwt_claims_fail (error, "its roles are no text and no list, or too many");
      if (!jwt_claim_read_text (&element, role))
        return jwt_claims_fail (error, "its roles are no list of texts");
      jwt_claims_add_role (settings, roles, role);
    }
  return TRUE;
}

/* @roles: (out) (nullable): %NULL when the token says nothing of roles */
static gboolean
jwt_claims_read_roles (const JwtSettings *settings, const JwtClaimSet *claims, char ***roles,
                       GError **error)
{
  static const char *const usual[] = { "roles", NULL };
  static const char *const single[] = { "role", NULL };
  g_autoptr (GPtrArray) names = NULL;
  g_auto (JwtClaimsFound) found = { { NULL, 0 }, NULL };

  *roles = NULL;
  if (!jwt_claims_pick (claims, settings->roles_claim, usual, &found, error)
      || (found.value.start == NULL && settings->roles_claim == NULL
          && !jwt_claims_pick (claims, NULL, single, &found, error)))
    return FALSE;
  if (found.value.start == NULL)
    {
      *roles = g_strdupv (settings->default_roles);
      return TRUE;
    }
  names = g_ptr_array_new_with_free_func (g_free);
  if (!jwt_claims_add_roles (settings, &found.value, names, error))
    return FALSE;
  g_ptr_array_add (names, NULL);
  *roles = (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
  return TRUE;
}

/* What else is asked for: texts, numbers and truth values. */
static void
jwt_claims_add_attributes (const JwtSettings *settings, const JwtClaimSet *claims,
                           ReeveIdentity *identity)
{
  g_autoptr (JsonObject) attributes = NULL;
  g_autoptr (JsonNode) node = NULL;
  GHashTableIter iter;
  gpointer name = NULL;
  gpointer claim = NULL;

  if (settings->attributes == NULL)
    return;
  attributes = json_object_new ();
  node = json_node_init_object (json_node_alloc (), attributes);
  g_hash_table_iter_init (&iter, settings->attributes);
  while (g_hash_table_iter_next (&iter, &name, &claim))
    {
      g_auto (JwtClaimsFound) found = { { NULL, 0 }, NULL };
      g_autoptr (JsonNode) value = NULL;
      JwtClaimText text;

      jwt_claims_find (claims, claim, &found);
      value = jwt_claim_make_node (jwt_claims_get (&found));
      if (value == NULL || !JSON_NODE_HOLDS_VALUE (value)
          || (json_node_get_value_type (value) == G_TYPE_STRING
              && !jwt_claim_read_text (&found.value, text)))
        continue;
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

/* By what people know whom they speak of. */
static void
jwt_claims_set_names (const JwtSettings *settings, const JwtClaimSet *claims,
                      ReeveIdentity *identity)
{
  g_auto (JwtClaimsFound) username = { { NULL, 0 }, NULL };
  g_auto (JwtClaimsFound) email = { { NULL, 0 }, NULL };
  JwtClaimText text;

  jwt_claims_find (claims, settings->username_claim, &username);
  reeve_identity_set_username (
      identity, jwt_claim_read_text (jwt_claims_get (&username), text) ? text : NULL);
  jwt_claims_find (claims, settings->email_claim, &email);
  reeve_identity_set_email (identity,
                            jwt_claim_read_text (jwt_claims_get (&email), text) ? text : NULL);
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
jwt_claims_make_identity (const JwtSettings *settings, const JwtClaimSet *claims, GError **error)
{
  g_autofree char *issuer = jwt_claim_dup_text (jwt_claim_set_get (claims, "iss"));
  g_autofree char *tenant = NULL;
  g_auto (GStrv) roles = NULL;
  g_autofree char *user_id = NULL;
  JwtClaimText subject;
  ReeveIdentity *identity = NULL;
  double issued_at = -1;

  if (!jwt_claim_read_text (jwt_claim_set_get (claims, "sub"), subject)
      || (settings->subject_is_user_id && !jwt_claims_is_user_id (subject)))
    {
      jwt_claims_fail (error, "its sub is missing, or is no text that can be a user's id");
      return NULL;
    }
  tenant = jwt_claims_read_tenant (settings, claims, error);
  if (tenant == NULL || !jwt_claims_read_roles (settings, claims, &roles, error))
    return NULL;
  if (issuer == NULL)
    issuer = g_strdup ("");
  user_id = settings->subject_is_user_id ? g_strdup (subject)
                                         : jwt_claims_make_user_id (issuer, subject);
  identity = reeve_identity_new (tenant, user_id, (const char *const *) roles, "jwt");
  reeve_identity_set_subject (identity, issuer, subject);
  jwt_claims_set_names (settings, claims, identity);
  reeve_identity_set_provision (identity, settings->provision);
  if (jwt_claims_read_time (claims, "iat", &issued_at, NULL) && issued_at >= 0)
    reeve_identity_set_issued_at (identity, (gint64) (issued_at * G_USEC_PER_SEC));
  jwt_claims_add_attributes (settings, claims, identity);
  return identity;
}
