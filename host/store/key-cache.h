/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveKeyCache: unwrapped data keys of the scopes that were used last. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct _ReeveKeyCache ReeveKeyCache;

typedef enum
{
  REEVE_KEY_CACHE_UNKNOWN, /* nothing is known of the scope */
  REEVE_KEY_CACHE_ABSENT,  /* it has no such key */
  REEVE_KEY_CACHE_FOUND
} ReeveKeyCacheAnswer;

/* most: of scopes */
ReeveKeyCache *reeve_key_cache_new (guint most);
void reeve_key_cache_free (ReeveKeyCache *self);
/* Thread-safe. number 0: the newest. */
ReeveKeyCacheAnswer reeve_key_cache_get (ReeveKeyCache *self, const char *scope, guint32 number,
                                         ReeveStorageKey *key);
/* What is cached of a scope is all of its keys. */
void reeve_key_cache_set (ReeveKeyCache *self, const char *scope, const ReeveStorageKey *keys,
                          guint n_keys);
void reeve_key_cache_forget (ReeveKeyCache *self, const char *scope);

G_END_DECLS
