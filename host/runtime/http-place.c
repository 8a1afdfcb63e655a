/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Only short addresses without a query are remembered: these come again, and hold no secret. */
#include "http-place.h"

#include <reeve-error.h>
#include <string.h>

#include "http-origin.h"

#define REEVE_HTTP_PLACE_KEPT   64
#define REEVE_HTTP_PLACE_LENGTH 512 /* bytes of an address that is remembered */

static void
reeve_http_place_clear (gpointer data)
{
  ReeveHttpPlace *self = data;

  g_clear_pointer (&self->uri, g_uri_unref);
  g_free (self->key);
  g_free (self->target);
}

/**
 * reeve_http_place_unref:
 * @self: (transfer full): a place
 */
void
reeve_http_place_unref (ReeveHttpPlace *self)
{
  g_rc_box_release_full (self, reeve_http_place_clear);
}

GHashTable *
reeve_http_place_table_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                (GDestroyNotify) reeve_http_place_unref);
}

/* RFC 3986 allows no other bytes; a blank or line break here would end the request line. */
static gboolean
reeve_http_place_is_url (const char *text)
{
  for (; *text != '\0'; text++)
    if (*text <= 0x20 || *text >= 0x7f)
      return FALSE;
  return TRUE;
}

static GUri *
reeve_http_place_parse (const char *url, GError **error)
{
  g_autoptr (GUri) uri
      = g_uri_parse (url, G_URI_FLAGS_ENCODED | G_URI_FLAGS_SCHEME_NORMALIZE, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : NULL;

  if (uri != NULL && reeve_http_place_is_url (url)
      && (g_str_equal (scheme, "http") || g_str_equal (scheme, "https"))
      && g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0'
      && g_uri_get_userinfo (uri) == NULL)
    return g_steal_pointer (&uri);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "the address is not a plain http or https URL");
  return NULL;
}

static char *
reeve_http_place_make_target (GUri *uri)
{
  const char *path = g_uri_get_path (uri);
  const char *query = g_uri_get_query (uri);
  const char *host = g_uri_get_host (uri);
  gboolean literal = strchr (host, ':') != NULL;
  GString *out = g_string_new (*path != '\0' ? path : "/");

  if (query != NULL)
    g_string_append_printf (out, "?%s", query);
  g_string_append_printf (out, literal ? " HTTP/1.1\r\nHost: [%s]" : " HTTP/1.1\r\nHost: %s", host);
  if (g_uri_get_port (uri) > 0)
    g_string_append_printf (out, ":%d", g_uri_get_port (uri));
  g_string_append (out, "\r\n");
  return g_string_free (out, FALSE);
}

static ReeveHttpPlace *
reeve_http_place_new (const char *url, ReeveHttpTrust *trust, GError **error)
{
  GUri *uri = reeve_http_place_parse (url, error);
  ReeveHttpPlace *self = NULL;

  if (uri == NULL)
    return NULL;
  self = g_rc_box_new0 (ReeveHttpPlace);
  self->uri = uri;
  self->trust = trust;
  self->key = reeve_http_origin_make_key (uri, trust);
  self->target = reeve_http_place_make_target (uri);
  return self;
}

/**
 * reeve_http_place_find:
 * @table: of reeve_http_place_table_new()
 * @url: an absolute address
 * @trust: certificates to trust for it
 * @error: return location
 *
 * Returns: (transfer full) (nullable): its place; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
ReeveHttpPlace *
reeve_http_place_find (GHashTable *table, const char *url, ReeveHttpTrust *trust, GError **error)
{
  ReeveHttpPlace *known = g_hash_table_lookup (table, url);
  ReeveHttpPlace *place = NULL;

  if (known != NULL && known->trust == trust)
    return g_rc_box_acquire (known);
  place = reeve_http_place_new (url, trust, error);
  if (place == NULL || strchr (url, '?') != NULL || strlen (url) > REEVE_HTTP_PLACE_LENGTH)
    return place;
  if (g_hash_table_size (table) >= REEVE_HTTP_PLACE_KEPT)
    g_hash_table_remove_all (table);
  g_hash_table_replace (table, g_strdup (url), g_rc_box_acquire (place));
  return place;
}
