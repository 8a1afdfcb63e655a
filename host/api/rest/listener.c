/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bound by hand: GSocket would set or clear options behind our back, and SO_REUSEPORT would let
 * another process take a share of our clients. */
#include "listener.h"

#include <errno.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <reeve-error.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/config-listen.h"

#define REEVE_REST_LISTENER_BACKLOG 1024

static GSocketAddress *
reeve_rest_listener_parse (const char *text, GError **error)
{
  const char *colon = strrchr (text, ':');
  g_autofree char *host = NULL;
  GSocketAddress *address = NULL;
  guint64 port = 0;

  if (colon == NULL || !g_ascii_string_to_unsigned (colon + 1, 10, 0, 65535, &port, NULL))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s is not ADDRESS:PORT", text);
      return NULL;
    }
  host = g_strndup (text, (gsize) (colon - text));
  if (*host == '[' && g_str_has_suffix (host, "]"))
    {
      host[strlen (host) - 1] = '\0';
      memmove (host, host + 1, strlen (host));
    }
  if (strcmp (host, "localhost") == 0)
    {
      g_free (host);
      host = g_strdup ("127.0.0.1");
    }
  address = g_inet_socket_address_new_from_string (host, (guint) port);
  if (address == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s has no numeric address", text);
  return address;
}

static int
reeve_rest_listener_open (GSocketAddress *address, GError **error)
{
  gssize size = g_socket_address_get_native_size (address);
  g_autofree struct sockaddr *native = g_malloc0 ((gsize) size);
  int family = g_socket_address_get_family (address) == G_SOCKET_FAMILY_IPV6 ? AF_INET6 : AF_INET;
  int fd = socket (family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int on = 1;

  if (fd < 0 || !g_socket_address_to_native (address, native, (gsize) size, error))
    return fd;
  /* a port that only lingers from an earlier host may be taken again */
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind (fd, native, (socklen_t) size) != 0 || listen (fd, REEVE_REST_LISTENER_BACKLOG) != 0)
    {
      int code = errno;

      close (fd);
      g_set_error_literal (error, REEVE_ERROR,
                           code == EADDRINUSE ? REEVE_ERROR_ALREADY_EXISTS
                                              : REEVE_ERROR_UNAVAILABLE,
                           g_strerror (code));
      return -1;
    }
  return fd;
}

static char *
reeve_rest_listener_describe (int fd, gboolean encrypted, GError **error)
{
  struct sockaddr_storage native = { 0 };
  socklen_t size = sizeof native;
  g_autoptr (GSocketAddress) address = NULL;
  g_autofree char *host = NULL;
  GInetSocketAddress *inet = NULL;
  gboolean six = FALSE;

  if (getsockname (fd, (struct sockaddr *) &native, &size) != 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, g_strerror (errno));
      return NULL;
    }
  address = g_socket_address_new_from_native (&native, size);
  inet = G_INET_SOCKET_ADDRESS (address);
  six = g_socket_address_get_family (address) == G_SOCKET_FAMILY_IPV6;
  host = g_inet_address_to_string (g_inet_socket_address_get_address (inet));
  return g_strdup_printf ("http%s://%s%s%s:%u", encrypted ? "s" : "", six ? "[" : "", host,
                          six ? "]" : "", (guint) g_inet_socket_address_get_port (inet));
}

/**
 * reeve_rest_listener_new:
 * @address: where to listen
 * @tls: whether there is a certificate
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a listening socket
 */
ReeveRestListener *
reeve_rest_listener_new (const char *address, gboolean tls, GError **error)
{
  const ReeveConfigListen listen = reeve_config_listen_read (address, tls);
  g_autoptr (GSocketAddress) parsed = reeve_rest_listener_parse (listen.address, error);
  g_autoptr (ReeveRestListener) self = NULL;

  if (parsed == NULL)
    return NULL;
  self = g_new0 (ReeveRestListener, 1);
  self->encrypted = listen.encrypted;
  self->fd = reeve_rest_listener_open (parsed, error);
  if (self->fd >= 0)
    self->url = reeve_rest_listener_describe (self->fd, self->encrypted, error);
  if (self->url == NULL)
    {
      g_prefix_error (error, "listening on %s: ", address);
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
reeve_rest_listener_free (ReeveRestListener *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->url);
  g_free (self);
}
