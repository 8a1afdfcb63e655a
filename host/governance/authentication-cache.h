/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Callers by the digest of what they showed: bounded, quick, and forgotten at a stroke. */
#pragma once

#include "caller.h"

G_BEGIN_DECLS

#define REEVE_AUTHENTICATION_CACHE_KEY 32

typedef struct _ReeveAuthenticationCache ReeveAuthenticationCache;

ReeveAuthenticationCache *reeve_authentication_cache_new (void);
void reeve_authentication_cache_free (ReeveAuthenticationCache *self);
/* What is looked up by. */
void reeve_authentication_cache_make_key (ReeveAuthenticationCache *self,
                                          const ReeveCredentials *credentials,
                                          guint8 key[REEVE_AUTHENTICATION_CACHE_KEY]);
guint reeve_authentication_cache_get_version (ReeveAuthenticationCache *self);
/* From now on nobody is in it: before the first. */
void reeve_authentication_cache_switch_off (ReeveAuthenticationCache *self);
void reeve_authentication_cache_invalidate (ReeveAuthenticationCache *self);
ReeveCaller *reeve_authentication_cache_lookup (ReeveAuthenticationCache *self,
                                                const guint8 key[REEVE_AUTHENTICATION_CACHE_KEY]);
void reeve_authentication_cache_add (ReeveAuthenticationCache *self,
                                     const guint8 key[REEVE_AUTHENTICATION_CACHE_KEY],
                                     ReeveCaller *caller, gint64 expires_at, guint version);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveAuthenticationCache, reeve_authentication_cache_free)

G_END_DECLS
