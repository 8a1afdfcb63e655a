/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scripted answers over real sockets, plain or TLS; one thread a connection. */
#include "hostile-server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct _HostileServer
{
  const HostileStep *const *scripts;
  guint n_scripts;
  int listener;
  guint port;
  GThread *thread;
  GPtrArray *connections; /* of HostileConnection, kept until the end */
  GMutex lock;
  int n_requests;
  guint n_sent;
  char *last;
  gnutls_certificate_credentials_t credentials;
};

typedef struct
{
  HostileServer *server;
  int fd;
  guint number;
  GThread *thread;
  gnutls_session_t tls;
} HostileConnection;

static gssize
hostile_read (HostileConnection *self, char *data, gsize length)
{
  gssize n = 0;

  do
    n = self->tls != NULL ? gnutls_record_recv (self->tls, data, length)
                          : recv (self->fd, data, length, 0);
  while (n == GNUTLS_E_AGAIN && self->tls != NULL);
  return n;
}

static gboolean
hostile_write (HostileConnection *self, const char *data, gsize length)
{
  while (length > 0)
    {
      gssize n = self->tls != NULL ? gnutls_record_send (self->tls, data, length)
                                   : send (self->fd, data, length, MSG_NOSIGNAL);

      if (n <= 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }
  return TRUE;
}

static gboolean
hostile_read_request (HostileConnection *self, gboolean head_only)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize left = 0;
  char byte = 0;

  while (!g_str_has_suffix (text->str, "\r\n\r\n"))
    {
      if (hostile_read (self, &byte, 1) != 1)
        return FALSE;
      g_string_append_c (text, byte);
    }
  if (strstr (text->str, "Content-Length: ") != NULL)
    left = strtoul (strstr (text->str, "Content-Length: ") + 16, NULL, 10);
  while (!head_only && left > 0)
    {
      char block[65536];
      gssize n = hostile_read (self, block, MIN (left, sizeof block));

      if (n <= 0)
        return FALSE;
      g_string_append_len (text, block, n);
      left -= (gsize) n;
    }
  g_mutex_lock (&self->server->lock);
  self->server->n_requests++;
  g_free (self->server->last);
  self->server->last = g_strdup (text->str);
  g_mutex_unlock (&self->server->lock);
  return TRUE;
}

static gboolean
hostile_send (HostileConnection *self, const char *text)
{
  if (!hostile_write (self, text, strlen (text)))
    return FALSE;
  g_mutex_lock (&self->server->lock);
  self->server->n_sent++;
  g_mutex_unlock (&self->server->lock);
  return TRUE;
}

static void
hostile_hold (HostileConnection *self)
{
  struct pollfd poll_fd = { .fd = self->fd, .events = POLLRDHUP };

  while (poll (&poll_fd, 1, -1) < 0 && errno == EINTR)
    continue;
}

static gboolean
hostile_step (HostileConnection *self, const HostileStep *step)
{
  g_autofree char *fill = NULL;
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };

  switch (step->kind)
    {
    case HOSTILE_READ:
    case HOSTILE_READ_HEAD:
      return hostile_read_request (self, step->kind == HOSTILE_READ_HEAD);
    case HOSTILE_SEND:
      return hostile_send (self, step->text);
    case HOSTILE_SPLIT:
      for (const char *p = step->text; *p != '\0'; p++)
        {
          if (!hostile_write (self, p, 1))
            return FALSE;
          g_usleep (200);
        }
      return TRUE;
    case HOSTILE_FILL:
      fill = g_strnfill (step->number, 'x');
      return hostile_write (self, fill, step->number);
    case HOSTILE_SLEEP:
      g_usleep (step->number * 1000);
      return TRUE;
    case HOSTILE_HOLD:
      hostile_hold (self);
      return TRUE;
    case HOSTILE_RESET:
      setsockopt (self->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
      return FALSE;
    case HOSTILE_LOOP:
    case HOSTILE_END:
    default:
      return FALSE;
    }
}

static gboolean
hostile_handshake (HostileConnection *self)
{
  int rc = 0;

  if (self->server->credentials == NULL)
    return TRUE;
  gnutls_init (&self->tls, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
  gnutls_set_default_priority (self->tls);
  gnutls_credentials_set (self->tls, GNUTLS_CRD_CERTIFICATE, self->server->credentials);
  gnutls_transport_set_int (self->tls, self->fd);
  do
    rc = gnutls_handshake (self->tls);
  while (rc < 0 && !gnutls_error_is_fatal (rc));
  return rc >= 0;
}

static gpointer
hostile_serve (gpointer data)
{
  HostileConnection *self = data;
  HostileServer *server = self->server;
  const HostileStep *script = server->scripts[MIN (self->number, server->n_scripts - 1)];
  const HostileStep *step = script;

  if (hostile_handshake (self))
    while (step->kind == HOSTILE_LOOP || hostile_step (self, step))
      step = step->kind == HOSTILE_LOOP ? script : step + 1;
  if (self->tls != NULL && step->kind == HOSTILE_END)
    gnutls_bye (self->tls, GNUTLS_SHUT_WR);
  if (self->tls != NULL)
    gnutls_deinit (self->tls);
  shutdown (self->fd, SHUT_WR);
  /* who frees the server must not shut down what has this number by then */
  g_mutex_lock (&server->lock);
  close (self->fd);
  self->fd = -1;
  g_mutex_unlock (&server->lock);
  return NULL;
}

static gpointer
hostile_accept (gpointer data)
{
  HostileServer *self = data;

  for (;;)
    {
      int one = 1;
      int fd = accept (self->listener, NULL, NULL);
      HostileConnection *connection = NULL;

      if (fd < 0)
        return NULL;
      setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      connection = g_new0 (HostileConnection, 1);
      connection->server = self;
      connection->fd = fd;
      g_mutex_lock (&self->lock);
      connection->number = self->connections->len;
      g_ptr_array_add (self->connections, connection);
      g_mutex_unlock (&self->lock);
      connection->thread = g_thread_new ("connection", hostile_serve, connection);
    }
}

static HostileServer *
hostile_server_bind (const HostileStep *const *scripts, guint n_scripts)
{
  HostileServer *self = g_new0 (HostileServer, 1);
  struct sockaddr_in address
      = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;

  g_mutex_init (&self->lock);
  self->scripts = scripts;
  self->n_scripts = n_scripts;
  self->connections = g_ptr_array_new_with_free_func (g_free);
  self->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (self->listener, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (getsockname (self->listener, (struct sockaddr *) &address, &length), ==, 0);
  self->port = ntohs (address.sin_port);
  return self;
}

HostileServer *
hostile_server_new (const HostileStep *const *scripts, guint n_scripts)
{
  HostileServer *self = hostile_server_bind (scripts, n_scripts);

  g_assert_cmpint (listen (self->listener, 64), ==, 0);
  return self;
}

HostileServer *
hostile_server_new_deaf (void)
{
  return hostile_server_bind (NULL, 0);
}

void
hostile_server_use_tls (HostileServer *self, const char *certificate, const char *key)
{
  gnutls_certificate_allocate_credentials (&self->credentials);
  g_assert_cmpint (gnutls_certificate_set_x509_key_file (self->credentials, certificate, key,
                                                         GNUTLS_X509_FMT_PEM),
                   >=, 0);
}

void
hostile_server_start (HostileServer *self)
{
  self->thread = g_thread_new ("accept", hostile_accept, self);
}

void
hostile_server_free (HostileServer *self)
{
  shutdown (self->listener, SHUT_RDWR);
  if (self->thread != NULL)
    g_thread_join (self->thread);
  close (self->listener);
  for (guint i = 0; i < self->connections->len; i++)
    {
      HostileConnection *connection = g_ptr_array_index (self->connections, i);

      g_mutex_lock (&self->lock);
      if (connection->fd >= 0)
        shutdown (connection->fd, SHUT_RDWR);
      g_mutex_unlock (&self->lock);
      g_thread_join (connection->thread);
    }
  g_ptr_array_unref (self->connections);
  if (self->credentials != NULL)
    gnutls_certificate_free_credentials (self->credentials);
  g_mutex_clear (&self->lock);
  g_free (self->last);
  g_free (self);
}

guint
hostile_server_get_port (HostileServer *self)
{
  return self->port;
}

guint
hostile_server_count_connections (HostileServer *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->connections->len;
}

guint
hostile_server_count_requests (HostileServer *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return (guint) self->n_requests;
}

guint
hostile_server_count_sent (HostileServer *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->n_sent;
}

char *
hostile_server_dup_last (HostileServer *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_strdup (self->last);
}
