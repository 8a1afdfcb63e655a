/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host without doors: store, ledger, gate, directory, authentication by the built auth-api-key.
 */
#pragma once

#include "governance/api-keys.h"
#include "governance/authentication.h"
#include "governance/bootstrap.h"
#include "governance/tenants.h"
#include "governance/users.h"

#include "ledger-fixture.h"

typedef struct
{
  LedgerFixture ledger;
  ReeveStore *store;
  ReeveWorkers *workers;
  ReeveAdmission *admission;
  ReeveAuthentication *authentication;
  ReeveTenants *tenants;
  ReeveUsers *users;
  ReeveApiKeys *api_keys;
  ReeveCapabilities *capabilities;
  ReeveRegistry *registry;
} DirectoryFixture;

void directory_fixture_set_up (DirectoryFixture *fixture, gconstpointer data);
void directory_fixture_tear_down (DirectoryFixture *fixture, gconstpointer data);
void directory_fixture_open (DirectoryFixture *fixture);
void directory_fixture_close (DirectoryFixture *fixture);
gboolean directory_fixture_bootstrap (DirectoryFixture *fixture, GError **error);
/* (transfer full) the key in admin.key */
char *directory_fixture_admin_key (DirectoryFixture *fixture);
ReeveCaller *directory_fixture_authenticate (DirectoryFixture *fixture, const char *key,
                                             GError **error);
/* the platform admin, acting in a tenant */
ReeveCaller *directory_fixture_admin (DirectoryFixture *fixture, const char *tenant_id);

typedef JsonObject *(*DirectoryFixtureFunc) (gpointer object, ReeveAdmitted *admitted,
                                             JsonObject *params, GError **error);
/* one effect through the gate */
JsonObject *directory_fixture_do (DirectoryFixture *fixture, ReeveCaller *caller,
                                  const char *operation, DirectoryFixtureFunc func, gpointer object,
                                  const char *params, GError **error);
#define directory_fixture_effect(fixture, caller, operation, func, object, params, error)          \
  directory_fixture_do (fixture, caller, operation, (DirectoryFixtureFunc) (func), object, params, \
                        error)
/* user and key of a role in the tenant of @caller; (transfer full) the key */
char *directory_fixture_make_user (DirectoryFixture *fixture, ReeveCaller *caller,
                                   const char *username, const char *role, char **user_id,
                                   char **key_id);
JsonObject *directory_fixture_parse (const char *text);
