/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of users whom an issuer vouches for. The id is made of issuer and subject, so nobody
 * chooses it, and no record that was made here is ever taken over by name or address: two people
 * may have the same of either at two issuers. */
#include "users-provision.h"

#include <string.h>

#include "base/digests.h"
#include "base/times.h"

#include "users-name.h"
#include "users-private.h"

/* bounds of the operations users.create and users.update */
#define REEVE_USERS_PROVISION_MAX_NAME  100
#define REEVE_USERS_PROVISION_MAX_EMAIL 254
#define REEVE_USERS_PROVISION_MAX_ROLES 16
#define REEVE_USERS_PROVISION_MAX_ROLE  64
/* digits of the id behind a name that another has */
#define REEVE_USERS_PROVISION_SUFFIX 8

/* ---- what the issuer says, as a record can hold it ---- */

/* (transfer full): a name without white space, control characters and slashes */
static char *
reeve_users_provision_make_name (ReeveIdentity *identity)
{
  const char *given = reeve_identity_get_username (identity);
  g_autoptr (GString) name = g_string_new (NULL);

  if (given == NULL)
    given = reeve_identity_get_subject (identity);
  for (const char *at = given; *at != 0 && name->len < REEVE_USERS_PROVISION_MAX_NAME;
       at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      g_string_append_unichar (name, reeve_users_name_may_have (c) ? c : '_');
    }
  /* what looks like a slash, or like nothing, in another form */
  if (!reeve_users_name_check (name->str, NULL))
    for (char *c = name->str; *c != '\0'; c++)
      if (!g_ascii_isgraph (*c))
        *c = '_';
  return g_string_free (g_steal_pointer (&name), FALSE);
}

/* The form of a shipped role or of a custom one. */
static gboolean
reeve_users_provision_is_role (const char *text)
{
  gboolean custom = g_str_has_prefix (text, REEVE_ROLE_BOOK_PREFIX);
  gsize length = strlen (text);

  if (length == 0 || length > REEVE_USERS_PROVISION_MAX_ROLE || !g_ascii_islower (text[0]))
    return FALSE;
  for (gsize i = custom ? strlen (REEVE_ROLE_BOOK_PREFIX) : 0; i < length; i++)
    if (!g_ascii_islower (text[i]) && !g_ascii_isdigit (text[i]) && text[i] != '_'
        && !(custom && (text[i] == '-' || text[i] == '.')))
      return FALSE;
  return TRUE;
}

/* (transfer full) (nullable): what can be names of roles */
static char **
reeve_users_provision_make_roles (ReeveIdentity *identity)
{
  const char *const *given = reeve_identity_get_roles (identity);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  guint n = 0;

  if (!reeve_identity_has_roles (identity))
    return NULL;
  for (guint i = 0; given[i] != NULL && n < REEVE_USERS_PROVISION_MAX_ROLES; i++)
    if (reeve_users_provision_is_role (given[i]))
      {
        g_strv_builder_add (builder, given[i]);
        n++;
      }
  return g_strv_builder_end (builder);
}

static const char *
reeve_users_provision_get_email (ReeveIdentity *identity)
{
  const char *email = reeve_identity_get_email (identity);

  return email != NULL && strlen (email) <= REEVE_USERS_PROVISION_MAX_EMAIL
                 && strchr (email, '@') != NULL && strpbrk (email, " \t\r\n") == NULL
             ? email
             : NULL;
}

static JsonObject *
reeve_users_provision_get_attributes (ReeveIdentity *identity)
{
  JsonNode *node = reeve_identity_get_attributes (identity);

  return node != NULL ? json_node_get_object (node) : NULL;
}

/* ---- reading ---- */

/* (transfer full): id of the record that somebody of that issuer was here */
static char *
reeve_users_provision_make_id (ReeveIdentity *identity)
{
  const char *issuer = reeve_identity_get_issuer (identity);
  const char *subject = reeve_identity_get_subject (identity);
  g_autoptr (GByteArray) text = g_byte_array_new ();

  g_byte_array_append (text, (const guint8 *) issuer, (guint) strlen (issuer) + 1);
  g_byte_array_append (text, (const guint8 *) subject, (guint) strlen (subject));
  return reeve_digests_sha256_hex (text->data, text->len);
}

/* The record, where there is one. */
static gboolean
reeve_users_provision_read_record (ReeveUsers *self, ReeveIdentity *identity,
                                   ReeveUsersProvisioned *found, GError **error)
{
  g_autoptr (GError) local = NULL;

  found->record
      = reeve_store_get (self->store, reeve_identity_get_tenant_id (identity), REEVE_STORE_USERS,
                         reeve_identity_get_user_id (identity), &local);
  found->found = found->record != NULL;
  if (found->found)
    {
      JsonObject *fields = reeve_record_get_fields (found->record);

      found->roles = reeve_directory_get_strings (fields, "roles");
      found->issued_at = reeve_json_get_int (fields, "issued_at", 0);
    }
  else if (!g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  return TRUE;
}

/**
 * reeve_users_provision_read:
 * @self: users
 * @identity: with issuer and subject where there is no record
 * @found: (out caller-allocates): what is known of it
 * @error: return location
 *
 * Returns: %FALSE with an error when that cannot be found out
 */
gboolean
reeve_users_provision_read (ReeveUsers *self, ReeveIdentity *identity, ReeveUsersProvisioned *found,
                            GError **error)
{
  g_autofree char *id = NULL;
  gboolean was = FALSE;

  if (!reeve_users_provision_read_record (self, identity, found, error))
    return FALSE;
  if (found->found)
    return TRUE;
  id = reeve_users_provision_make_id (identity);
  if (!reeve_store_exists (self->store, reeve_identity_get_tenant_id (identity),
                           REEVE_STORE_IDENTITIES, id, &was, error))
    return FALSE;
  if (!was)
    return TRUE;
  /* both are written in one batch: somebody else may have done so between these two reads */
  if (!reeve_users_provision_read_record (self, identity, found, error))
    return FALSE;
  found->removed = !found->found;
  return TRUE;
}

/**
 * reeve_users_provisioned_clear:
 * @self: what was known of a user
 */
void
reeve_users_provisioned_clear (ReeveUsersProvisioned *self)
{
  g_clear_pointer (&self->record, reeve_record_unref);
  g_clear_pointer (&self->roles, g_strfreev);
}

/* Does the record lack something that the issuer says of him? What it does not say stays. */
static gboolean
reeve_users_provision_differs_in_attributes (JsonObject *fields, JsonObject *said)
{
  JsonObject *had = reeve_json_get_object (fields, "attributes");
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  if (said == NULL)
    return FALSE;
  json_object_iter_init (&iter, said);
  while (json_object_iter_next (&iter, &name, &value))
    if (had == NULL || !json_object_has_member (had, name)
        || !json_node_equal (json_object_get_member (had, name), value))
      return TRUE;
  return FALSE;
}

/**
 * reeve_users_provision_is_due:
 * @found: what is known here
 * @identity: what the issuer says
 *
 * Returns: whether the record is to be made, or changed
 */
gboolean
reeve_users_provision_is_due (const ReeveUsersProvisioned *found, ReeveIdentity *identity)
{
  JsonObject *fields = found->found ? reeve_record_get_fields (found->record) : NULL;
  const char *email = reeve_users_provision_get_email (identity);
  g_autofree char *name = NULL;
  g_auto (GStrv) roles = NULL;

  if (!found->found)
    return TRUE;
  if (reeve_identity_get_issued_at (identity) < found->issued_at)
    return FALSE;
  name = reeve_users_provision_make_name (identity);
  roles = reeve_users_provision_make_roles (identity);
  return (roles != NULL
          && !g_strv_equal ((const char *const *) roles, (const char *const *) found->roles))
         || (email != NULL && g_strcmp0 (email, reeve_json_get_string (fields, "email", NULL)) != 0)
         || strcmp (name, reeve_json_get_string (fields, "issuer_username", "")) != 0
         || reeve_users_provision_differs_in_attributes (
             fields, reeve_users_provision_get_attributes (identity));
}

/* ---- writing ---- */

static void
reeve_users_provision_set_attributes (JsonObject *fields, JsonObject *said)
{
  JsonObject *had = reeve_json_get_object (fields, "attributes");
  g_autoptr (JsonObject) attributes = had != NULL ? reeve_directory_dup (had) : json_object_new ();
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  if (said != NULL)
    {
      json_object_iter_init (&iter, said);
      while (json_object_iter_next (&iter, &name, &value))
        json_object_set_member (attributes, name, json_node_copy (value));
    }
  json_object_set_object_member (fields, "attributes", g_steal_pointer (&attributes));
}

/* (transfer full): the record as it is to be, but for the name */
static JsonObject *
reeve_users_provision_make_fields (const ReeveUsersProvisioned *found, ReeveIdentity *identity)
{
  static const char *const none[] = { NULL };
  const char *email = reeve_users_provision_get_email (identity);
  g_autofree char *name = reeve_users_provision_make_name (identity);
  g_auto (GStrv) roles = reeve_users_provision_make_roles (identity);
  gint64 now = reeve_times_now ();
  JsonObject *fields = found->found ? reeve_directory_dup (reeve_record_get_fields (found->record))
                                    : json_object_new ();

  if (!found->found)
    {
      json_object_set_string_member (fields, "tenant_id", reeve_identity_get_tenant_id (identity));
      json_object_set_string_member (fields, "kind", "human");
      json_object_set_string_member (fields, "status", REEVE_USERS_ACTIVE);
      json_object_set_int_member (fields, "created_at", now);
      reeve_directory_set_strings (fields, "roles", none);
    }
  else
    json_object_set_int_member (fields, "updated_at", now);
  json_object_set_int_member (fields, "issued_at", reeve_identity_get_issued_at (identity));
  json_object_set_string_member (fields, "issuer", reeve_identity_get_issuer (identity));
  json_object_set_string_member (fields, "issuer_username", name);
  if (email != NULL)
    json_object_set_string_member (fields, "email", email);
  if (roles != NULL)
    reeve_directory_set_strings (fields, "roles", (const char *const *) roles);
  reeve_users_provision_set_attributes (fields, reeve_users_provision_get_attributes (identity));
  return fields;
}

static void
reeve_users_provision_add_identity (ReeveIdentity *identity, ReeveBatch *batch)
{
  g_autofree char *id = reeve_users_provision_make_id (identity);
  g_autoptr (JsonObject) fields = json_object_new ();

  json_object_set_string_member (fields, "user_id", reeve_identity_get_user_id (identity));
  json_object_set_string_member (fields, "issuer", reeve_identity_get_issuer (identity));
  json_object_set_string_member (fields, "subject", reeve_identity_get_subject (identity));
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  reeve_batch_put (batch, REEVE_STORE_IDENTITIES, id, fields, REEVE_REVISION_ANY);
}

/* One attempt to write @fields with that name. @taken: (out): another has it. */
static gboolean
reeve_users_provision_commit (ReeveUsers *self, ReeveIdentity *identity,
                              const ReeveUsersProvisioned *found, JsonObject *fields,
                              const char *name, gboolean *taken, GError **error)
{
  const char *old = found->found ? reeve_json_get_string (reeve_record_get_fields (found->record),
                                                          "username", "")
                                 : NULL;
  g_autoptr (ReeveBatch) batch = reeve_batch_new (reeve_identity_get_tenant_id (identity));
  g_auto (GStrv) roles = reeve_directory_get_strings (fields, "roles");
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autofree char *counter = reeve_users_get_counter (name);
  g_autofree char *left = old != NULL ? reeve_users_get_counter (old) : NULL;
  g_autoptr (GError) local = NULL;

  reeve_users_set_name (fields, name);
  if (g_strcmp0 (left, counter) != 0)
    reeve_batch_count (batch, counter, 1, 0, 1);
  if (left != NULL && strcmp (left, counter) != 0)
    reeve_batch_count (batch, left, -1, 0, 1);
  if (!found->found)
    reeve_users_provision_add_identity (identity, batch);
  reeve_batch_put (batch, REEVE_STORE_USERS, reeve_identity_get_user_id (identity), fields,
                   found->found ? reeve_record_get_revision (found->record)
                                : REEVE_REVISION_ABSENT);
  if (reeve_role_book_hold_known (self->book, reeve_identity_get_tenant_id (identity),
                                  (const char *const *) roles, batch, &local))
    result = reeve_store_commit (self->store, batch, &local);
  *taken = g_error_matches (local, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE);
  if (result == NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return result != NULL;
}

/* (transfer full): a name that was changed here stays until the issuer says another */
static char *
reeve_users_provision_choose_name (ReeveIdentity *identity, const ReeveUsersProvisioned *found)
{
  JsonObject *fields = found->found ? reeve_record_get_fields (found->record) : NULL;
  char *name = reeve_users_provision_make_name (identity);

  if (fields == NULL || strcmp (name, reeve_json_get_string (fields, "issuer_username", "")) != 0)
    return name;
  g_free (name);
  return g_strdup (reeve_json_get_string (fields, "username", ""));
}

static gboolean
reeve_users_provision_is_less (const ReeveUsersProvisioned *found, JsonObject *fields)
{
  g_auto (GStrv) has = reeve_directory_get_strings (fields, "roles");

  for (guint i = 0; found->roles != NULL && found->roles[i] != NULL; i++)
    if (!g_strv_contains ((const char *const *) has, found->roles[i]))
      return TRUE;
  return FALSE;
}

/**
 * reeve_users_provision:
 * @self: users
 * @admitted: the right to `users.provision` of that user
 * @identity: what the issuer says
 * @found: what is known here
 * @less: (out): whether he may do less than before
 * @error: return location
 *
 * Makes the record, or changes it to what the issuer says; a name that somebody else has gets a few
 * digits of the id.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT when somebody else was quicker, or an error
 */
gboolean
reeve_users_provision (ReeveUsers *self, ReeveAdmitted *admitted, ReeveIdentity *identity,
                       const ReeveUsersProvisioned *found, gboolean *less, GError **error)
{
  const char *user_id = reeve_identity_get_user_id (identity);
  g_autofree char *name = reeve_users_provision_choose_name (identity, found);
  g_autofree char *longer
      = g_strdup_printf ("%s-%.*s", name, REEVE_USERS_PROVISION_SUFFIX,
                         strchr (user_id, '_') != NULL ? strchr (user_id, '_') + 1 : user_id);
  g_autoptr (JsonObject) fields = reeve_users_provision_make_fields (found, identity);
  g_autoptr (GError) local = NULL;
  gboolean taken = FALSE;
  gboolean good = FALSE;

  reeve_admitted_consume_exactly (admitted, "users.provision", user_id, NULL);
  good = reeve_users_provision_commit (self, identity, found, fields, name, &taken, &local);
  if (!good && taken)
    {
      g_clear_error (&local);
      good = reeve_users_provision_commit (self, identity, found, fields, longer, &taken, &local);
    }
  *less = good && reeve_users_provision_is_less (found, fields);
  if (!good && taken)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the username is taken");
  else if (!good)
    g_propagate_error (error, g_steal_pointer (&local));
  return good;
}
