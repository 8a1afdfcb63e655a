/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A token is fetched by the first who needs it, and whoever comes meanwhile waits for that. Each
 * ends a little before the server says, so that none ends on its way. */
#include "oauth-tokens.h"

#include <string.h>

#define REEVE_OAUTH_TOKENS_ANSWER  65536          /* bytes of an answer */
#define REEVE_OAUTH_TOKENS_SECONDS 300            /* where the server does not say */
#define REEVE_OAUTH_TOKENS_LONGEST (24 * 60 * 60) /* then it is fetched anew, whatever it says */
#define REEVE_OAUTH_TOKENS_EARLY   30
#define REEVE_OAUTH_TOKENS_KEPT    1024
#define REEVE_OAUTH_TOKENS_LOOK_US (50 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  char *token; /* NULL: it is being fetched */
  gint64 end;  /* monotonic µs */
} ReeveOauthTokensEntry;

struct _ReeveOauthTokens
{
  ReeveOauthTokensFetch fetch;
  gpointer user_data;
  GMutex mutex;
  GCond changed;
  GHashTable *entries; /* with mutex: key -> ReeveOauthTokensEntry */
};

static void
reeve_oauth_tokens_entry_free (gpointer data)
{
  ReeveOauthTokensEntry *entry = data;

  if (entry->token != NULL)
    explicit_bzero (entry->token, strlen (entry->token));
  g_free (entry->token);
  g_free (entry);
}

/**
 * reeve_oauth_tokens_new:
 * @fetch: sends a request to a token endpoint
 * @user_data: closure; outlives it
 *
 * Returns: (transfer full): without tokens
 */
ReeveOauthTokens *
reeve_oauth_tokens_new (ReeveOauthTokensFetch fetch, gpointer user_data)
{
  ReeveOauthTokens *self = g_new0 (ReeveOauthTokens, 1);

  self->fetch = fetch;
  self->user_data = user_data;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->changed);
  self->entries
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reeve_oauth_tokens_entry_free);
  return self;
}

void
reeve_oauth_tokens_free (ReeveOauthTokens *self)
{
  g_hash_table_unref (self->entries);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->changed);
  g_free (self);
}

/* ---- the answer ---- */

/* The word of RFC 6749, 5.2; a server could say anything. */
static const char *
reeve_oauth_tokens_get_word (JsonObject *answer)
{
  const char *word = answer != NULL ? reeve_json_get_string (answer, "error", "") : "";

  return strlen (word) <= 64 && strspn (word, "abcdefghijklmnopqrstuvwxyz_") == strlen (word) ? word
                                                                                              : "";
}

/* RFC 6750, 2.1: what a token is made of */
static gboolean
reeve_oauth_tokens_is_token (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("-._~+/=", *p) == NULL)
      return FALSE;
  return *text != '\0';
}

/**
 * reeve_oauth_tokens_read:
 * @status: of a token endpoint's answer
 * @body: the answer
 * @length: its bytes
 * @seconds: (out): how long the token is good
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the token
 */
char *
reeve_oauth_tokens_read (guint status, const char *body, gsize length, gint64 *seconds,
                         GError **error)
{
  g_autoptr (JsonNode) node
      = length <= REEVE_OAUTH_TOKENS_ANSWER ? reeve_json_parse_strict (body, length, NULL) : NULL;
  JsonObject *answer
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *token = answer != NULL ? reeve_json_get_string (answer, "access_token", "") : "";
  const char *word = reeve_oauth_tokens_get_word (answer);

  if (status != 200)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the token endpoint answered %u%s%s",
                 status, *word != '\0' ? ": " : "", word);
  else if (answer == NULL || !reeve_oauth_tokens_is_token (token)
           || g_ascii_strcasecmp (reeve_json_get_string (answer, "token_type", ""), "bearer") != 0)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM,
                         "the token endpoint answered without a bearer token");
  else
    {
      *seconds = CLAMP (reeve_json_get_int (answer, "expires_in", REEVE_OAUTH_TOKENS_SECONDS), 1,
                        REEVE_OAUTH_TOKENS_LONGEST);
      return g_strdup (token);
    }
  return NULL;
}

/* ---- the request ---- */

/* As RFC 6749, appendix B, wants it. */
static void
reeve_oauth_tokens_append (GString *form, const char *name, const char *value)
{
  g_autofree char *escaped = value != NULL ? g_uri_escape_string (value, NULL, FALSE) : NULL;

  if (escaped != NULL)
    g_string_append_printf (form, "%s%s=%s", form->len > 0 ? "&" : "", name, escaped);
}

static ReeveHttpRequest *
reeve_oauth_tokens_make_request (JsonObject *secret)
{
  const char *id = reeve_json_get_string (secret, "client_id", "");
  const char *value = reeve_json_get_string (secret, "value", "");
  gboolean post = strcmp (reeve_json_get_string (secret, "client_auth", "basic"), "post") == 0;
  ReeveHttpRequest *request
      = reeve_http_request_new ("POST", reeve_json_get_string (secret, "token_url", ""));
  g_autoptr (GString) form = g_string_new (NULL);
  g_autoptr (GBytes) body = NULL;

  reeve_oauth_tokens_append (form, "grant_type", "client_credentials");
  reeve_oauth_tokens_append (form, "scope", reeve_json_get_string (secret, "scope", NULL));
  reeve_oauth_tokens_append (form, "audience", reeve_json_get_string (secret, "audience", NULL));
  reeve_oauth_tokens_append (form, "client_id", post ? id : NULL);
  reeve_oauth_tokens_append (form, "client_secret", post ? value : NULL);
  if (!post)
    {
      g_autofree char *escaped_id = g_uri_escape_string (id, NULL, FALSE);
      g_autofree char *escaped = g_uri_escape_string (value, NULL, FALSE);
      g_autofree char *pair = g_strconcat (escaped_id, ":", escaped, NULL);
      g_autofree char *encoded = g_base64_encode ((const guchar *) pair, strlen (pair));
      g_autofree char *header = g_strconcat ("Basic ", encoded, NULL);

      reeve_http_request_add_header (request, "Authorization", header);
    }
  reeve_http_request_add_header (request, "Accept", "application/json");
  body = g_bytes_new (form->str, form->len);
  reeve_http_request_set_body (request, "application/x-www-form-urlencoded", body);
  reeve_http_request_set_max_response (request, REEVE_OAUTH_TOKENS_ANSWER);
  /* a token that nobody uses does no harm */
  reeve_http_request_set_idempotent (request, TRUE);
  return request;
}

static char *
reeve_oauth_tokens_fetch (ReeveOauthTokens *self, const ReeveCapabilityCaller *caller,
                          JsonObject *secret, gint64 *seconds, GError **error)
{
  g_autoptr (ReeveHttpRequest) request = reeve_oauth_tokens_make_request (secret);
  g_autoptr (ReeveHttpResponse) response = self->fetch (caller, request, self->user_data, error);
  GBytes *body = response != NULL ? reeve_http_response_get_body (response) : NULL;
  gsize length = 0;
  const char *text = body != NULL ? g_bytes_get_data (body, &length) : NULL;

  if (response == NULL)
    {
      g_prefix_error (error, "the token endpoint: ");
      return NULL;
    }
  return reeve_oauth_tokens_read (reeve_http_response_get_status (response),
                                  text != NULL ? text : "", length, seconds, error);
}

/* ---- what is kept ---- */

static gboolean
reeve_oauth_tokens_is_over (gpointer key, gpointer value, gpointer now)
{
  const ReeveOauthTokensEntry *entry = value;

  return entry->token != NULL && entry->end <= *(gint64 *) now;
}

static gboolean
reeve_oauth_tokens_is_fetched (gpointer key, gpointer value, gpointer user_data)
{
  return ((const ReeveOauthTokensEntry *) value)->token != NULL;
}

/* With the mutex. */
static void
reeve_oauth_tokens_reserve (ReeveOauthTokens *self, const char *key)
{
  gint64 now = g_get_monotonic_time ();

  g_hash_table_foreach_remove (self->entries, reeve_oauth_tokens_is_over, &now);
  if (g_hash_table_size (self->entries) >= REEVE_OAUTH_TOKENS_KEPT)
    g_hash_table_foreach_remove (self->entries, reeve_oauth_tokens_is_fetched, NULL);
  g_hash_table_replace (self->entries, g_strdup (key), g_new0 (ReeveOauthTokensEntry, 1));
}

/* With the mutex. Waits while another one fetches it. *token: (out) (transfer full) (nullable): it;
 * NULL: the caller fetches it now. FALSE with an error: the caller gave up. */
static gboolean
reeve_oauth_tokens_enter (ReeveOauthTokens *self, const ReeveCapabilityCaller *caller,
                          const char *key, char **token, GError **error)
{
  GCancellable *cancellable = reeve_capabilities_get_cancellable (caller);
  ReeveOauthTokensEntry *entry = g_hash_table_lookup (self->entries, key);

  while (entry != NULL && entry->token == NULL)
    {
      if (!reeve_context_check (caller->context, error)
          || g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      g_cond_wait_until (&self->changed, &self->mutex,
                         g_get_monotonic_time () + REEVE_OAUTH_TOKENS_LOOK_US);
      entry = g_hash_table_lookup (self->entries, key);
    }
  if (entry != NULL && entry->end > g_get_monotonic_time ())
    *token = g_strdup (entry->token);
  else
    reeve_oauth_tokens_reserve (self, key);
  return TRUE;
}

/* (nullable) @token: there is none */
static void
reeve_oauth_tokens_leave (ReeveOauthTokens *self, const char *key, const char *token,
                          gint64 seconds)
{
  gint64 good = MAX (seconds - REEVE_OAUTH_TOKENS_EARLY, seconds / 2);
  ReeveOauthTokensEntry *entry = NULL;

  g_mutex_lock (&self->mutex);
  entry = g_hash_table_lookup (self->entries, key);
  if (token == NULL)
    g_hash_table_remove (self->entries, key);
  else if (entry != NULL)
    {
      entry->token = g_strdup (token);
      entry->end = g_get_monotonic_time () + good * G_USEC_PER_SEC;
    }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_oauth_tokens_get:
 * @self: tokens
 * @caller: in whose call
 * @key: which token
 * @secret: what it is fetched with
 * @error: return location
 *
 * Returns: (transfer full) (nullable): an access token; %NULL with %REEVE_ERROR_UPSTREAM, what the
 * call ends with, or why the endpoint cannot be reached
 */
char *
reeve_oauth_tokens_get (ReeveOauthTokens *self, const ReeveCapabilityCaller *caller,
                        const char *key, JsonObject *secret, GError **error)
{
  gboolean entered = FALSE;
  gint64 seconds = 0;
  char *token = NULL;

  g_mutex_lock (&self->mutex);
  entered = reeve_oauth_tokens_enter (self, caller, key, &token, error);
  g_mutex_unlock (&self->mutex);
  if (!entered || token != NULL)
    return token;
  token = reeve_oauth_tokens_fetch (self, caller, secret, &seconds, error);
  reeve_oauth_tokens_leave (self, key, token, seconds);
  return token;
}

static gboolean
reeve_oauth_tokens_begins (gpointer key, gpointer value, gpointer prefix)
{
  return g_str_has_prefix (key, prefix) && ((const ReeveOauthTokensEntry *) value)->token != NULL;
}

/**
 * reeve_oauth_tokens_forget:
 * @self: tokens
 * @prefix: of their keys
 *
 * A server did not take one: the next call fetches another.
 */
void
reeve_oauth_tokens_forget (ReeveOauthTokens *self, const char *prefix)
{
  g_mutex_lock (&self->mutex);
  g_hash_table_foreach_remove (self->entries, reeve_oauth_tokens_begins, (gpointer) prefix);
  g_mutex_unlock (&self->mutex);
}
