/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveApiKeys share: api-keys.c (records, lists, revocation,
 * capabilities), api-keys-make.c (new keys, rotation), api-keys-bounds.c (what a new key may be),
 * api-keys-care.c (last use, warnings before the end). */
#pragma once

#include "api-keys-pepper.h"
#include "api-keys.h"

G_BEGIN_DECLS

/* a record may change between reading and writing; it is then tried anew */
#define REEVE_API_KEYS_TRIES 8

struct _ReeveApiKeys
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveUsers *users;
  ReeveAuthentication *authentication;
  ReeveWorkspaces *workspaces; /* (nullable): then no key is bound to one */
  guint8 pepper[REEVE_API_KEYS_PEPPER_LENGTH];
  gint64 warn_us;        /* how long before its end a key is warned of */
  ReeveWorkers *workers; /* (nullable): where last uses are written */
  GMutex mutex;
  GHashTable *noted; /* key id -> monotonic second: lately seen to be used */
};

/* (transfer full) hexadecimal */
char *reeve_api_keys_digest (ReeveApiKeys *self, const char *plaintext);
gboolean reeve_api_keys_is_active (JsonObject *fields);
/* (transfer full) */
JsonObject *reeve_api_keys_show (ReeveRecord *record);
/* The same, with what hangs on the time of asking. */
JsonObject *reeve_api_keys_describe (ReeveApiKeys *self, const char *key_id, JsonObject *fields);
/* The key's record, if @caller may know of it. */
ReeveRecord *reeve_api_keys_read (ReeveApiKeys *self, ReeveCaller *caller, const char *key_id,
                                  GError **error);

/* May @caller make a key with the roles and scopes in @fields for the user in it? */
gboolean reeve_api_keys_bounds_check (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *fields,
                                      GError **error);
/* A key that was made by means of a key is bounded as that one is. */
gboolean reeve_api_keys_bounds_inherit (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *fields,
                                        GError **error);

G_END_DECLS
