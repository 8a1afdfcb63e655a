/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveOauthTokens: access tokens that the host gets with client credentials (RFC 6749, 4.4), kept
 * in memory until they end. Any thread; blocks. */
#pragma once

#include "loader/capabilities.h"

G_BEGIN_DECLS

typedef struct _ReeveOauthTokens ReeveOauthTokens;

/* (transfer full) (nullable): what the token endpoint answers */
typedef ReeveHttpResponse *(*ReeveOauthTokensFetch) (const ReeveCapabilityCaller *caller,
                                                     ReeveHttpRequest *request, gpointer user_data,
                                                     GError **error);

ReeveOauthTokens *reeve_oauth_tokens_new (ReeveOauthTokensFetch fetch, gpointer user_data);
void reeve_oauth_tokens_free (ReeveOauthTokens *self);
/* (transfer full) (nullable): a token by @secret {client_id, value, token_url, scope?, audience?,
 * client_auth?}; one is fetched where none is kept for @key, once for all who wait. */
char *reeve_oauth_tokens_get (ReeveOauthTokens *self, const ReeveCapabilityCaller *caller,
                              const char *key, JsonObject *secret, GError **error);
/* Those whose keys begin so are not used again. */
void reeve_oauth_tokens_forget (ReeveOauthTokens *self, const char *prefix);
/* (transfer full) (nullable): the token in an answer; *seconds (out): how long it is good.
 * %REEVE_ERROR_UPSTREAM, which has nothing of it */
char *reeve_oauth_tokens_read (guint status, const char *body, gsize length, gint64 *seconds,
                               GError **error);

G_END_DECLS
