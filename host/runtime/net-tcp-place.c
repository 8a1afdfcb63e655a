/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rule of net.http: what a grant names may be internal. A name that looks like one of the world
 * may not lead to this machine, its link or a cloud's metadata all the same: whoever answers for it
 * would decide that, and no administrator did. */
#include "net-tcp-place.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/**
 * reeve_net_tcp_place_new:
 * @host: a name or an address, of IPv6 without brackets
 * @port: of it
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the place
 */
ReeveNetTcpPlace *
reeve_net_tcp_place_new (const char *host, guint16 port, GError **error)
{
  gboolean six = strchr (host, ':') != NULL;
  g_autofree char *url = g_strdup_printf (six ? "http://[%s]:%u" : "http://%s:%u", host, port);
  g_autoptr (ReeveNetGuardTarget) target = NULL;
  ReeveNetTcpPlace *self = NULL;

  /* what ends a host in a URL is no part of one */
  if (strpbrk (host, "/?#@[]") == NULL && port != 0)
    target = reeve_net_guard_target_new (url, error);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                 "net.tcp: host is a name or an address, and port 1 to 65535");
  if (target == NULL)
    return NULL;
  self = g_new0 (ReeveNetTcpPlace, 1);
  self->name = g_strdup_printf (six ? "[%s]:%u" : "%s:%u", target->host, port);
  self->target = g_steal_pointer (&target);
  return self;
}

void
reeve_net_tcp_place_free (ReeveNetTcpPlace *self)
{
  reeve_net_guard_target_free (self->target);
  g_free (self->name);
  g_free (self);
}

guint64
reeve_net_tcp_place_find_grants (const ReeveCapabilityCaller *caller, const char *name,
                                 GError **error)
{
  const ReeveCapabilityTerms *ceiling = reeve_capability_lease_get_ceiling (caller->lease);
  guint64 mask = 0;

  if (ceiling != NULL && !reeve_capability_terms_has ((const char *const *) ceiling->hosts, name))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                   "%s is beyond what this deployment allows: plugins.ceiling.hosts", name);
      return 0;
    }
  for (guint i = 0; i < reeve_capability_lease_get_length (caller->lease); i++)
    {
      char **hosts = reeve_capability_lease_get_terms (caller->lease, i)->hosts;

      /* one that names no places is for none */
      if (hosts != NULL && reeve_capability_terms_has ((const char *const *) hosts, name))
        mask |= G_GUINT64_CONSTANT (1) << i;
    }
  if (mask == 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                 "%s is not granted to plugin %s: reevectl plugins grant %s net.tcp --param "
                 "hosts=%s --reason WHY",
                 name, caller->plugin_id, caller->plugin_id, name);
  return mask;
}

gboolean
reeve_net_tcp_place_check (const ReeveNetTcpPlace *self, GPtrArray *addresses, GError **error)
{
  gboolean world = self->target->literal == NULL && reeve_net_guard_check_name (self->target, NULL);

  for (guint i = 0; world && i < addresses->len; i++)
    {
      ReeveNetGuardRange range = reeve_net_guard_classify (g_ptr_array_index (addresses, i));

      if (range == REEVE_NET_GUARD_NONE || range == REEVE_NET_GUARD_PRIVATE
          || range == REEVE_NET_GUARD_SHARED)
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                   "%s may not be reached: its name comes to an address that is %s; where that is "
                   "meant, the address itself is granted",
                   self->name, reeve_net_guard_range_get_name (range));
      return FALSE;
    }
  return TRUE;
}

/* A socket of its own, or -1. */
static int
reeve_net_tcp_place_try (const ReeveNetTcpPlace *self, GInetAddress *address, guint seconds,
                         GCancellable *cancellable, GError **error)
{
  g_autoptr (GSocketAddress) to = g_inet_socket_address_new (address, self->target->port);
  g_autoptr (GSocket) socket = g_socket_new (g_inet_address_get_family (address),
                                             G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
  int fd = -1;

  if (socket == NULL)
    return -1;
  g_socket_set_timeout (socket, seconds);
  if (!g_socket_connect (socket, to, cancellable, error))
    return -1;
  /* what the plugin wrote at once is sent at once: how it writes is its own affair */
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  fd = fcntl (g_socket_get_fd (socket), F_DUPFD_CLOEXEC, 0);
  if (fd < 0)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s", g_strerror (errno));
  return fd;
}

static int
reeve_net_tcp_place_fail (const ReeveNetTcpPlace *self, const ReeveCapabilityCaller *caller,
                          const GError *reason, GError **error)
{
  gboolean cancelled = g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  if (reeve_context_check (caller->context, error))
    g_set_error (error, REEVE_ERROR, cancelled ? REEVE_ERROR_CANCELLED : REEVE_ERROR_UNAVAILABLE,
                 "%s: %s", self->name, reason != NULL ? reason->message : "it has no address");
  return -1;
}

int
reeve_net_tcp_place_connect (const ReeveNetTcpPlace *self, const ReeveCapabilityCaller *caller,
                             guint seconds, GError **error)
{
  g_autofree char *url = g_strdup_printf (
      strchr (self->target->host, ':') != NULL ? "http://[%s]:%u" : "http://%s:%u",
      self->target->host, self->target->port);
  const char *const named[] = { url, NULL };
  GCancellable *cancellable = reeve_capabilities_get_cancellable (caller);
  gint64 deadline = reeve_context_get_deadline (caller->context);
  gint64 until = g_get_monotonic_time () + (gint64) seconds * G_USEC_PER_SEC;
  g_autoptr (GPtrArray) addresses = NULL;
  g_autoptr (GError) reason = NULL;
  int fd = -1;

  addresses = reeve_net_guard_resolve (url, named, cancellable, error);
  if (addresses == NULL || !reeve_net_tcp_place_check (self, addresses, error))
    return -1;
  if (deadline != 0)
    until = MIN (until, deadline);
  for (guint i = 0; fd < 0 && i < addresses->len; i++)
    {
      gint64 left = until - g_get_monotonic_time ();

      if (i > 0 && left <= 0)
        break;
      g_clear_error (&reason);
      fd = reeve_net_tcp_place_try (self, g_ptr_array_index (addresses, i),
                                    (guint) MAX (1, left / G_USEC_PER_SEC), cancellable, &reason);
    }
  return fd >= 0 ? fd : reeve_net_tcp_place_fail (self, caller, reason, error);
}
