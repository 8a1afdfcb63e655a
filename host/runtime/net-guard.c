/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guard against server-side request forgery. An address passes when every address its name
 * comes to is public, or when an administrator granted its origin; what passed is pinned, so that a
 * name cannot change its mind. */
#include "net-guard.h"

#include <string.h>

#define REEVE_NET_GUARD_MAX_URL       8192
#define REEVE_NET_GUARD_MAX_ADDRESSES 16

typedef struct
{
  guint8 bytes[16];
  guint8 bits;
  ReeveNetGuardRange range;
} ReeveNetGuardBlock;

/* IANA IPv4 Special-Purpose Address Registry (RFC 6890 and successors), most special first */
static const ReeveNetGuardBlock reeve_net_guard_blocks4[] = {
  { { 169, 254, 169, 254 }, 32, REEVE_NET_GUARD_METADATA },
  { { 169, 254, 170, 2 }, 32, REEVE_NET_GUARD_METADATA },
  { { 100, 100, 100, 200 }, 32, REEVE_NET_GUARD_METADATA },
  { { 168, 63, 129, 16 }, 32, REEVE_NET_GUARD_METADATA },
  { { 0 }, 8, REEVE_NET_GUARD_UNSPECIFIED },
  { { 10 }, 8, REEVE_NET_GUARD_PRIVATE },
  { { 100, 64 }, 10, REEVE_NET_GUARD_SHARED },
  { { 127 }, 8, REEVE_NET_GUARD_LOOPBACK },
  { { 169, 254 }, 16, REEVE_NET_GUARD_LINK_LOCAL },
  { { 172, 16 }, 12, REEVE_NET_GUARD_PRIVATE },
  { { 192, 0, 0 }, 24, REEVE_NET_GUARD_RESERVED },
  { { 192, 0, 2 }, 24, REEVE_NET_GUARD_RESERVED },
  { { 192, 88, 99 }, 24, REEVE_NET_GUARD_RESERVED },
  { { 192, 168 }, 16, REEVE_NET_GUARD_PRIVATE },
  { { 198, 18 }, 15, REEVE_NET_GUARD_RESERVED },
  { { 198, 51, 100 }, 24, REEVE_NET_GUARD_RESERVED },
  { { 203, 0, 113 }, 24, REEVE_NET_GUARD_RESERVED },
  { { 224 }, 4, REEVE_NET_GUARD_MULTICAST },
  { { 240 }, 4, REEVE_NET_GUARD_RESERVED },
};

/* IANA IPv6 Special-Purpose Address Registry; what carries an IPv4 address is taken apart before */
static const ReeveNetGuardBlock reeve_net_guard_blocks6[] = {
  { { 0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54 },
    128,
    REEVE_NET_GUARD_METADATA },
  { { 0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54 },
    128,
    REEVE_NET_GUARD_METADATA },
  { { 0 }, 128, REEVE_NET_GUARD_UNSPECIFIED },
  { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, 128, REEVE_NET_GUARD_LOOPBACK },
  { { 0x01, 0x00 }, 64, REEVE_NET_GUARD_RESERVED },             /* discard */
  { { 0x20, 0x01, 0x00, 0x00 }, 23, REEVE_NET_GUARD_RESERVED }, /* protocol assignments, Teredo */
  { { 0x20, 0x01, 0x0d, 0xb8 }, 32, REEVE_NET_GUARD_RESERVED }, /* documentation */
  { { 0x3f, 0xff, 0x00 }, 20, REEVE_NET_GUARD_RESERVED },       /* documentation */
  { { 0x5f, 0x00 }, 16, REEVE_NET_GUARD_RESERVED },             /* segment routing */
  { { 0xfc }, 7, REEVE_NET_GUARD_PRIVATE },                     /* unique local */
  { { 0xfe, 0x80 }, 10, REEVE_NET_GUARD_LINK_LOCAL },
  { { 0xfe, 0xc0 }, 10, REEVE_NET_GUARD_PRIVATE }, /* site local */
  { { 0xff }, 8, REEVE_NET_GUARD_MULTICAST },
};

static const guint8 reeve_net_guard_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
static const guint8 reeve_net_guard_translated[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0 };
static const guint8 reeve_net_guard_nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
static const guint8 reeve_net_guard_nat64_local[6] = { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 };

static gboolean
reeve_net_guard_matches (const guint8 *bytes, const ReeveNetGuardBlock *block)
{
  guint whole = block->bits / 8;
  guint rest = block->bits % 8;
  guint8 mask = (guint8) (0xff << (8 - rest));

  return memcmp (bytes, block->bytes, whole) == 0
         && (rest == 0 || (bytes[whole] & mask) == (block->bytes[whole] & mask));
}

static ReeveNetGuardRange
reeve_net_guard_find (const guint8 *bytes, const ReeveNetGuardBlock *blocks, guint n)
{
  for (guint i = 0; i < n; i++)
    if (reeve_net_guard_matches (bytes, &blocks[i]))
      return blocks[i].range;
  return REEVE_NET_GUARD_NONE;
}

static ReeveNetGuardRange
reeve_net_guard_classify4 (const guint8 *bytes)
{
  return reeve_net_guard_find (bytes, reeve_net_guard_blocks4,
                               G_N_ELEMENTS (reeve_net_guard_blocks4));
}

/* The IPv4 address that an IPv6 one stands for, or NULL. */
static const guint8 *
reeve_net_guard_find_embedded (const guint8 *bytes)
{
  static const guint8 zeros[12] = { 0 };

  if (memcmp (bytes, reeve_net_guard_mapped, 12) == 0
      || memcmp (bytes, reeve_net_guard_translated, 12) == 0
      || memcmp (bytes, reeve_net_guard_nat64, 12) == 0
      || memcmp (bytes, reeve_net_guard_nat64_local, 6) == 0)
    return bytes + 12;
  /* IPv4-compatible, deprecated; ::0 and ::1 are not of them */
  if (memcmp (bytes, zeros, 12) == 0
      && (bytes[12] != 0 || bytes[13] != 0 || bytes[14] != 0 || bytes[15] > 1))
    return bytes + 12;
  /* 6to4 */
  if (bytes[0] == 0x20 && bytes[1] == 0x02)
    return bytes + 2;
  /* ISATAP: ...:0:5efe:a.b.c.d */
  if ((bytes[8] & 0xfd) == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe)
    return bytes + 12;
  return NULL;
}

/**
 * reeve_net_guard_classify:
 * @address: an address
 *
 * Sorts an address by IANA's registries of special addresses. An IPv6 address that carries an IPv4
 * one (mapped, compatible, translated, 6to4, NAT64, ISATAP) is what that one is; when that one is
 * public, it is reserved (no public service is reached so), but for NAT64's well-known prefix.
 *
 * Returns: %REEVE_NET_GUARD_NONE when it is public
 */
ReeveNetGuardRange
reeve_net_guard_classify (GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);
  const guint8 *embedded = NULL;
  ReeveNetGuardRange range = REEVE_NET_GUARD_NONE;

  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4)
    return reeve_net_guard_classify4 (bytes);
  if (g_inet_address_get_family (address) != G_SOCKET_FAMILY_IPV6)
    return REEVE_NET_GUARD_RESERVED;
  range = reeve_net_guard_find (bytes, reeve_net_guard_blocks6,
                                G_N_ELEMENTS (reeve_net_guard_blocks6));
  if (range != REEVE_NET_GUARD_NONE)
    return range;
  embedded = reeve_net_guard_find_embedded (bytes);
  if (embedded == NULL)
    return (bytes[0] & 0xe0) == 0x20 ? REEVE_NET_GUARD_NONE : REEVE_NET_GUARD_RESERVED;
  range = reeve_net_guard_classify4 (embedded);
  /* in a network with NAT64 all that is reached is reached so */
  if (memcmp (bytes, reeve_net_guard_nat64, 12) == 0)
    return range;
  return range != REEVE_NET_GUARD_NONE ? range : REEVE_NET_GUARD_RESERVED;
}

/**
 * reeve_net_guard_range_get_name:
 * @range: a range
 *
 * Returns: its name in error messages
 */
const char *
reeve_net_guard_range_get_name (ReeveNetGuardRange range)
{
  static const char *const names[]
      = { "public",     "unspecified", "loopback",  "private", "shared",
          "link-local", "metadata",    "multicast", "reserved" };

  return (guint) range < G_N_ELEMENTS (names) ? names[range] : "unknown";
}

/* One part of an IPv4 address as inet_aton() takes it: decimal, octal with 0, hexadecimal with 0x.
 */
static gboolean
reeve_net_guard_parse_part (const char *text, guint64 *value)
{
  char *end = NULL;

  if (!g_ascii_isdigit (*text))
    return FALSE;
  /* the longest that fits 32 bits is octal, with some zeros before it */
  if (strlen (text) > 20)
    return FALSE;
  *value = g_ascii_strtoull (text, &end, 0);
  /* 0x without digits is taken as zero by some */
  if (end != NULL && (*end == 'x' || *end == 'X') && end[1] == '\0')
    end++;
  return *end == '\0';
}

static GInetAddress *
reeve_net_guard_parse_loose (const char *host)
{
  g_auto (GStrv) parts = g_strsplit (host, ".", 5);
  guint n = g_strv_length (parts);
  guint64 value = 0;
  guint32 address = 0;
  guint8 bytes[4];

  if (n < 1 || n > 4)
    return NULL;
  for (guint i = 0; i < n; i++)
    {
      guint64 limit = i + 1 < n ? 0xff : 0xffffffffu >> (8 * (n - 1));

      if (!reeve_net_guard_parse_part (parts[i], &value) || value > limit)
        return NULL;
      address |= i + 1 < n ? (guint32) value << (24 - 8 * i) : (guint32) value;
    }
  for (guint i = 0; i < 4; i++)
    bytes[i] = (guint8) (address >> (24 - 8 * i));
  return g_inet_address_new_from_bytes (bytes, G_SOCKET_FAMILY_IPV4);
}

/**
 * reeve_net_guard_parse_address:
 * @host: host of a URL, without brackets
 *
 * Reads an address in any form that some resolver takes for one: `127.1`, `0x7f.1`, `017700000001`,
 * `2130706433`, IPv6 with or without an IPv4 tail.
 *
 * Returns: (transfer full) (nullable): the address, %NULL when @host is a name
 */
GInetAddress *
reeve_net_guard_parse_address (const char *host)
{
  if (strchr (host, ':') == NULL)
    return reeve_net_guard_parse_loose (host);
  return g_inet_address_new_from_string (host);
}

static gboolean
reeve_net_guard_fail (GError **error, const char *what)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "the address %s", what);
  return FALSE;
}

/* RFC 3986 has no other bytes, and a backslash is read as a slash by some. */
static gboolean
reeve_net_guard_check_bytes (const char *url, GError **error)
{
  gsize length = strlen (url);

  if (length == 0 || length > REEVE_NET_GUARD_MAX_URL)
    return reeve_net_guard_fail (error, "is empty or too long");
  for (const char *p = url; *p != '\0'; p++)
    if (*p <= 0x20 || *p >= 0x7f || *p == '\\')
      return reeve_net_guard_fail (error,
                                   "has a blank, control character, backslash or unescaped letter");
  return TRUE;
}

/* An escape in the authority hides a name from those who do not decode it. */
static gboolean
reeve_net_guard_check_authority (const char *url, GError **error)
{
  const char *begin = strstr (url, "://");
  gsize length = begin != NULL ? strcspn (begin + 3, "/?#") : 0;

  if (begin == NULL)
    return reeve_net_guard_fail (error, "has no host");
  if (memchr (begin + 3, '%', length) != NULL)
    return reeve_net_guard_fail (error, "has an escape or a zone in its host");
  return TRUE;
}

/* Letters, digits, hyphens, underscores and dots: what a name may have; a percent sign could hide
 * another one. */
static gboolean
reeve_net_guard_check_host (const char *host, GError **error)
{
  if (*host == '\0' || strlen (host) > 253)
    return reeve_net_guard_fail (error, "has no host, or one that is too long");
  if (strchr (host, ':') != NULL)
    return TRUE;
  for (const char *p = host; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("-_.", *p) == NULL)
      return reeve_net_guard_fail (error, "has a host with characters that no name has");
  if (*host == '.' || strstr (host, "..") != NULL)
    return reeve_net_guard_fail (error, "has a host with an empty part");
  return TRUE;
}

static gboolean
reeve_net_guard_read (ReeveNetGuardTarget *self, GUri *uri, GError **error)
{
  const char *host = g_uri_get_host (uri);
  int port = g_uri_get_port (uri);
  gsize length = 0;

  self->scheme = g_ascii_strdown (g_uri_get_scheme (uri), -1);
  if (!g_str_equal (self->scheme, "http") && !g_str_equal (self->scheme, "https"))
    return reeve_net_guard_fail (error, "is neither http nor https");
  if (g_uri_get_userinfo (uri) != NULL)
    return reeve_net_guard_fail (error, "names a user");
  if (host == NULL)
    return reeve_net_guard_fail (error, "has no host");
  if (!reeve_net_guard_check_host (host, error))
    return FALSE;
  self->host = g_ascii_strdown (host, -1);
  length = strlen (self->host);
  if (self->host[length - 1] == '.')
    self->host[length - 1] = '\0';
  if (port == 0 || port > 65535)
    return reeve_net_guard_fail (error, "has no valid port");
  self->port = port > 0 ? (guint16) port : (g_str_equal (self->scheme, "https") ? 443 : 80);
  self->literal = reeve_net_guard_parse_address (self->host);
  if (self->literal == NULL && strchr (self->host, ':') != NULL)
    return reeve_net_guard_fail (error, "has a broken IPv6 host");
  self->origin = g_strdup_printf ("%s://%s:%u", self->scheme, self->host, self->port);
  return TRUE;
}

/**
 * reeve_net_guard_target_new:
 * @url: an absolute address
 * @error: return location
 *
 * Takes an address apart and refuses what different readers read differently: users, backslashes,
 * blanks, odd hosts.
 *
 * Returns: (transfer full) (nullable): its parts, %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
ReeveNetGuardTarget *
reeve_net_guard_target_new (const char *url, GError **error)
{
  g_autoptr (ReeveNetGuardTarget) self = g_new0 (ReeveNetGuardTarget, 1);
  g_autoptr (GUri) uri = NULL;
  g_autoptr (GError) local = NULL;

  if (!reeve_net_guard_check_bytes (url, error) || !reeve_net_guard_check_authority (url, error))
    return NULL;
  /* the flags of the client: what is checked here is what is connected to */
  uri = g_uri_parse (url, G_URI_FLAGS_ENCODED | G_URI_FLAGS_SCHEME_NORMALIZE, NULL);
  if (uri == NULL)
    {
      reeve_net_guard_fail (error, "is not a URL");
      return NULL;
    }
  if (!reeve_net_guard_read (self, uri, &local))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  return g_steal_pointer (&self);
}

/**
 * reeve_net_guard_target_free:
 * @self: (transfer full): parts
 */
void
reeve_net_guard_target_free (ReeveNetGuardTarget *self)
{
  g_free (self->scheme);
  g_free (self->host);
  g_free (self->origin);
  g_clear_object (&self->literal);
  g_free (self);
}

/**
 * reeve_net_guard_is_granted:
 * @target: where to
 * @origins: (nullable) (array zero-terminated=1): what an administrator granted: `scheme://host` or
 * `scheme://host:port`
 *
 * Returns: whether the target's origin is on the list
 */
gboolean
reeve_net_guard_is_granted (const ReeveNetGuardTarget *target, const char *const *origins)
{
  for (guint i = 0; origins != NULL && origins[i] != NULL; i++)
    {
      g_autoptr (ReeveNetGuardTarget) granted = reeve_net_guard_target_new (origins[i], NULL);

      if (granted != NULL && g_str_equal (granted->origin, target->origin))
        return TRUE;
    }
  return FALSE;
}

static gboolean
reeve_net_guard_refuse (const ReeveNetGuardTarget *target, const char *why, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "%s may not be reached: its address is %s and the origin is not granted",
               target->host, why);
  return FALSE;
}

/**
 * reeve_net_guard_check_name:
 * @target: where to
 * @error: return location
 *
 * Refuses names that mean this machine, its network or a cloud's metadata, whatever they resolve
 * to.
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED
 */
gboolean
reeve_net_guard_check_name (const ReeveNetGuardTarget *target, GError **error)
{
  static const char *const suffixes[]
      = { ".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan",
          ".home",      ".corp",  ".home.arpa",   ".private",  NULL };
  static const char *const names[] = { "localhost",
                                       "metadata",
                                       "metadata.google.internal",
                                       "metadata.goog",
                                       "instance-data",
                                       "host.docker.internal",
                                       "kubernetes.default.svc",
                                       NULL };

  if (target->literal != NULL)
    return TRUE;
  if (g_strv_contains (names, target->host))
    return reeve_net_guard_refuse (target, "internal", error);
  for (guint i = 0; suffixes[i] != NULL; i++)
    if (g_str_has_suffix (target->host, suffixes[i]))
      return reeve_net_guard_refuse (target, "internal", error);
  /* a name of one part is looked up in the search domains of the machine */
  if (strchr (target->host, '.') == NULL)
    return reeve_net_guard_refuse (target, "internal", error);
  return TRUE;
}

/**
 * reeve_net_guard_check_addresses:
 * @target: where to
 * @addresses: (element-type GInetAddress): all that its name came to
 * @error: return location
 *
 * One address that is not public condemns all: a name with both kinds is how a guard is led astray.
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED
 */
gboolean
reeve_net_guard_check_addresses (const ReeveNetGuardTarget *target, GPtrArray *addresses,
                                 GError **error)
{
  for (guint i = 0; i < addresses->len; i++)
    {
      ReeveNetGuardRange range = reeve_net_guard_classify (g_ptr_array_index (addresses, i));

      if (range != REEVE_NET_GUARD_NONE)
        return reeve_net_guard_refuse (target, reeve_net_guard_range_get_name (range), error);
    }
  return addresses->len > 0 || reeve_net_guard_refuse (target, "unknown", error);
}

static GPtrArray *
reeve_net_guard_look_up (const ReeveNetGuardTarget *target, GCancellable *cancellable,
                         GError **error)
{
  g_autoptr (GPtrArray) addresses = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GResolver) resolver = NULL;
  g_autoptr (GError) local = NULL;
  GList *found = NULL;

  if (target->literal != NULL)
    {
      g_ptr_array_add (addresses, g_object_ref (target->literal));
      return g_steal_pointer (&addresses);
    }
  resolver = g_resolver_get_default ();
  found = g_resolver_lookup_by_name (resolver, target->host, cancellable, &local);
  for (GList *l = found; l != NULL; l = l->next)
    g_ptr_array_add (addresses, g_object_ref (l->data));
  g_resolver_free_addresses (found);
  if (addresses->len > 0 && addresses->len <= REEVE_NET_GUARD_MAX_ADDRESSES)
    return g_steal_pointer (&addresses);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "looking up %s: %s", target->host,
               local != NULL ? local->message : "no address, or too many");
  return NULL;
}

/**
 * reeve_net_guard_resolve:
 * @url: where an agent or a document wants to go
 * @origins: (nullable) (array zero-terminated=1): origins that an administrator granted
 * @cancellable: (nullable): to give up
 * @error: return location
 *
 * Looks the name up once and checks every address it came to. Only these addresses may then be
 * connected to. Blocks.
 *
 * Returns: (transfer full) (nullable) (element-type GInetAddress): the addresses; %NULL with
 * %REEVE_ERROR_INVALID_ARGUMENT, %REEVE_ERROR_PERMISSION_DENIED or %REEVE_ERROR_UNAVAILABLE
 */
GPtrArray *
reeve_net_guard_resolve (const char *url, const char *const *origins, GCancellable *cancellable,
                         GError **error)
{
  g_autoptr (ReeveNetGuardTarget) target = reeve_net_guard_target_new (url, error);
  g_autoptr (GPtrArray) addresses = NULL;
  gboolean granted = FALSE;

  if (target == NULL)
    return NULL;
  granted = reeve_net_guard_is_granted (target, origins);
  if (!granted && !reeve_net_guard_check_name (target, error))
    return NULL;
  addresses = reeve_net_guard_look_up (target, cancellable, error);
  if (addresses == NULL
      || (!granted && !reeve_net_guard_check_addresses (target, addresses, error)))
    return NULL;
  return g_steal_pointer (&addresses);
}
