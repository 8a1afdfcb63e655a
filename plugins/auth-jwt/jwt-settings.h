/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JwtSettings: what an administrator wants of tokens. Immutable, any thread. */
#pragma once

#include "jwt-key-set.h"

G_BEGIN_DECLS

typedef struct
{
  char *issuer;          /* (nullable): not looked at */
  char **audiences;      /* none: a token that names an audience is refused */
  char **types;          /* of "typ", lower case */
  GPtrArray *algorithms; /* JwtAlgorithm, the table's */
  JwtKeySet *keys;       /* those in the settings themselves */
  gboolean remote;       /* whether there are others to fetch */
  char *jwks_uri;        /* (nullable): where they are; else the issuer is asked */
  char *tenant_claim;    /* (nullable): org_id, tenant_id */
  char *roles_claim;     /* (nullable): roles, role */
  char *username_claim;
  char *email_claim;
  char *default_tenant;   /* (nullable) */
  char **default_roles;   /* (nullable) */
  GHashTable *tenant_map; /* (nullable): text -> text */
  GHashTable *role_map;   /* (nullable): text -> texts */
  GHashTable *attributes; /* (nullable): name -> claim */
  char **claims;          /* names of all that is looked at, and where paths begin */
  gboolean provision;
  gboolean subject_is_user_id;
  gboolean require_expiry;
  gint64 leeway;  /* seconds, like those that follow */
  gint64 max_age; /* 0: any */
  gint64 cache_seconds;
  gint64 stale_seconds;
  gint64 refetch_seconds;
} JwtSettings;

JwtSettings *jwt_settings_new (JsonObject *settings, gboolean enterprise, GError **error);
void jwt_settings_free (JwtSettings *self);
gboolean jwt_settings_allows (const JwtSettings *self, const JwtAlgorithm *algorithm);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JwtSettings, jwt_settings_free)

G_END_DECLS
