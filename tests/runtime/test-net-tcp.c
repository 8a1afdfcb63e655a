/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability net.tcp over real sockets: what grants name and nothing else, both directions, each
 * way to an end, and that nothing is left open behind it. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gio/gio.h>

#include "runtime/net-tcp.h"

#define WAIT_US (10 * G_USEC_PER_SEC)

typedef struct
{
  ReeveNetTcp *tcp;
  GSocket *listener;
  guint16 port;
  GCancellable *cancellable;
  GPtrArray *terms; /* ReeveCapabilityTerms */
  ReeveCapabilityTerms *ceiling;
  gint64 deadline;
  gboolean bare; /* nobody keeps grants */
  guint fds;     /* before */
  GError *error;
} World;

static guint
count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint count = 0;

  while (g_dir_read_name (dir) != NULL)
    count++;
  return count;
}

static void
setup (World *self, gconstpointer data)
{
  g_autoptr (GInetAddress) any = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (any, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  self->tcp = reeve_net_tcp_new (&(ReeveNetTcpSetup){ NULL });
  self->listener = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, 0, NULL);
  g_assert_true (g_socket_bind (self->listener, address, TRUE, NULL));
  g_assert_true (g_socket_listen (self->listener, NULL));
  g_socket_set_timeout (self->listener, 10);
  bound = g_socket_get_local_address (self->listener, NULL);
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  self->cancellable = g_cancellable_new ();
  self->terms = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_capability_terms_unref);
  self->fds = count_fds ();
}

static void
wait_for (World *self, guint open)
{
  gint64 until = g_get_monotonic_time () + WAIT_US;

  while (reeve_net_tcp_count (self->tcp) != open && g_get_monotonic_time () < until)
    g_usleep (1000);
  g_assert_cmpuint (reeve_net_tcp_count (self->tcp), ==, open);
}

static void
teardown (World *self, gconstpointer data)
{
  wait_for (self, 0);
  reeve_net_tcp_free (self->tcp);
  g_object_unref (self->listener);
  g_object_unref (self->cancellable);
  g_ptr_array_unref (self->terms);
  g_clear_pointer (&self->ceiling, reeve_capability_terms_unref);
  g_clear_error (&self->error);
}

/* of the port of @self, where @place is NULL */
static ReeveCapabilityTerms *
grant (World *self, const char *place, guint most)
{
  ReeveCapabilityTerms *terms = reeve_capability_terms_new ();

  terms->grant_id = g_strdup_printf ("gnt_%u", self->terms->len);
  terms->max_connections = most;
  terms->hosts = g_new0 (char *, 2);
  terms->hosts[0] = place != NULL ? g_strdup (place) : g_strdup_printf ("127.0.0.1:%u", self->port);
  g_ptr_array_add (self->terms, terms);
  return terms;
}

static ReeveCapabilityLease *
make_lease (World *self)
{
  return reeve_capability_lease_new ("tool-x", "net.tcp", self->terms, self->ceiling);
}

static ReeveContext *
make_context (World *self, const char *tenant_id)
{
  const ReeveContextInfo info
      = { .struct_size = sizeof info, .tenant_id = tenant_id, .deadline = self->deadline };

  return reeve_context_new (&info, NULL, self->cancellable);
}

static int
open_to (World *self, ReeveContext *context, ReeveCapabilityLease *lease, const char *host,
         guint16 port)
{
  const ReeveCapabilityCaller caller = { "tool-x", "x", NULL, context, lease };

  g_clear_error (&self->error);
  return reeve_net_tcp_perform (&caller, host, port, self->tcp, &self->error);
}

/* One connection: the plugin's end, and the server's. */
typedef struct
{
  ReeveContext *context;
  ReeveCapabilityLease *lease;
  int near;
  GSocket *far;
} Line;

static Line
connect_line (World *self)
{
  Line line
      = { .context = make_context (self, "t1"), .lease = self->bare ? NULL : make_lease (self) };

  line.near = open_to (self, line.context, line.lease, "127.0.0.1", self->port);
  g_assert_no_error (self->error);
  line.far = g_socket_accept (self->listener, NULL, &self->error);
  g_assert_no_error (self->error);
  g_socket_set_timeout (line.far, 10);
  return line;
}

static void
drop_line (Line *line)
{
  g_clear_object (&line->context);
  g_clear_pointer (&line->lease, reeve_capability_lease_unref);
  if (line->near >= 0)
    close (line->near);
  g_clear_object (&line->far);
}

static void
assert_reset (GSocket *far)
{
  char byte = 0;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_socket_receive (far, &byte, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
}

static void
assert_says (int near, const char *text)
{
  char data[64] = "";

  g_assert_cmpint (recv (near, data, sizeof data - 1, 0), ==, (gssize) strlen (text));
  g_assert_cmpstr (data, ==, text);
}

static void
assert_hears (GSocket *far, const char *text)
{
  char data[64] = "";
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_socket_receive (far, data, sizeof data - 1, NULL, &error), ==,
                   (gssize) strlen (text));
  g_assert_cmpstr (data, ==, text);
}

static void
test_both_ways (World *world, gconstpointer data)
{
  Line line = { 0 };

  grant (world, NULL, 0);
  line = connect_line (world);
  g_assert_cmpint (send (line.near, "ask", 3, MSG_NOSIGNAL), ==, 3);
  assert_hears (line.far, "ask");
  g_assert_cmpint (g_socket_send (line.far, "answer", 6, NULL, NULL), ==, 6);
  assert_says (line.near, "answer");
  /* a direction that ends does not end the other */
  g_assert_cmpint (shutdown (line.near, SHUT_WR), ==, 0);
  assert_hears (line.far, "");
  g_assert_cmpint (g_socket_send (line.far, "late", 4, NULL, NULL), ==, 4);
  assert_says (line.near, "late");
  g_clear_object (&line.far);
  assert_says (line.near, "");
  wait_for (world, 0);
  drop_line (&line);
  g_assert_cmpuint (count_fds (), <=, world->fds + 3); /* the thread's own */
}

static void
test_places (World *world, gconstpointer data)
{
  g_autoptr (ReeveContext) context = make_context (world, NULL);
  g_autoptr (ReeveCapabilityLease) lease = NULL;
  const char *const odd[]
      = { "",           "a b",  "127.0.0.1/",  "x@127.0.0.1", "127.0.0.1#",  "[::1]",
          "127.0.0.1?", "a..b", "127.0.0.1\\", "ex%41mple",   "127.0.0.1:80" };

  grant (world, NULL, 0);
  grant (world, "[::1]:5432", 0);
  lease = make_lease (world);
  g_assert_cmpint (open_to (world, context, lease, "127.0.0.1", (guint16) (world->port ^ 1)), ==,
                   -1);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (world->error->message, "reevectl plugins grant tool-x net.tcp --param "
                                                   "hosts=127.0.0.1:"));
  /* the same machine by another name is another place */
  for (guint i = 0; i < 3; i++)
    {
      const char *const names[] = { "localhost", "127.1", "2130706433" };

      g_assert_cmpint (open_to (world, context, lease, names[i], world->port), ==, -1);
      g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
    }
  for (guint i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      g_assert_cmpint (open_to (world, context, lease, odd[i], world->port), ==, -1);
      g_assert_nonnull (world->error);
      g_assert_true (g_error_matches (world->error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT)
                     || g_error_matches (world->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED));
    }
  g_assert_cmpint (open_to (world, context, lease, "127.0.0.1", 0), ==, -1);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  /* granted, and nobody there */
  g_assert_cmpint (open_to (world, context, lease, "::1", 5432), ==, -1);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
}

static void
test_no_places (World *world, gconstpointer data)
{
  g_autoptr (ReeveContext) context = make_context (world, NULL);
  g_autoptr (ReeveCapabilityLease) lease = NULL;
  ReeveCapabilityTerms *terms = grant (world, NULL, 0);

  g_clear_pointer (&terms->hosts, g_strfreev);
  lease = make_lease (world);
  g_assert_cmpint (open_to (world, context, lease, "127.0.0.1", world->port), ==, -1);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
}

static void
test_ceiling (World *world, gconstpointer data)
{
  g_autoptr (ReeveContext) other = make_context (world, "t2");
  g_autoptr (ReeveCapabilityLease) lease = NULL;
  Line line = { 0 };

  grant (world, NULL, 2);
  world->ceiling = reeve_capability_terms_new ();
  world->ceiling->max_connections = 1;
  line = connect_line (world);
  g_assert_cmpint (open_to (world, other, line.lease, "127.0.0.1", world->port), ==, -1);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_BUSY);
  g_assert_nonnull (strstr (world->error->message, "plugins.ceiling.max_connections"));
  drop_line (&line);
  g_clear_pointer (&world->ceiling, reeve_capability_terms_unref);
  world->ceiling = reeve_capability_terms_new ();
  world->ceiling->hosts = g_strsplit ("db.example:5432", " ", -1);
  lease = make_lease (world);
  g_assert_cmpint (open_to (world, other, lease, "127.0.0.1", world->port), ==, -1);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (world->error->message, "plugins.ceiling.hosts"));
}

static void
test_counts (World *world, gconstpointer data)
{
  g_autoptr (ReeveContext) other = make_context (world, "t2");
  g_autoptr (ReeveCapabilityLease) lease = NULL;
  Line lines[2] = { 0 };
  int fd = -1;

  grant (world, NULL, 2);
  lease = make_lease (world);
  for (guint i = 0; i < 2; i++)
    lines[i] = connect_line (world);
  g_assert_cmpint (open_to (world, lines[0].context, lease, "127.0.0.1", world->port), ==, -1);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_BUSY);
  g_assert_nonnull (strstr (world->error->message, "max_connections"));
  /* each tenant by itself */
  fd = open_to (world, other, lease, "127.0.0.1", world->port);
  g_assert_no_error (world->error);
  close (fd);
  /* what is closed makes room */
  drop_line (&lines[0]);
  wait_for (world, 1);
  lines[0] = connect_line (world);
  drop_line (&lines[0]);
  drop_line (&lines[1]);
}

static gboolean
holds_not (const ReeveCapabilityTerms *terms, gpointer user_data)
{
  return FALSE;
}

/* Taken back: the plugin reads an end, the server a reset, at once. */
static void
test_taken_back (World *world, gconstpointer data)
{
  Line line = { 0 };

  grant (world, NULL, 0);
  line = connect_line (world);
  g_assert_true (reeve_capability_lease_review (line.lease, holds_not, NULL));
  reeve_capability_lease_cut (line.lease);
  assert_says (line.near, "");
  assert_reset (line.far);
  drop_line (&line);
}

static void
test_stopped (World *world, gconstpointer data)
{
  for (guint i = 0; i < 5; i++)
    {
      Line line = { 0 };

      if (i == 0)
        grant (world, NULL, 0);
      world->bare = i == 3;
      if (i == 4)
        world->deadline = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;
      line = connect_line (world);
      reeve_net_tcp_cut_plugin (world->tcp, "tool-y");
      reeve_net_tcp_cut_tenant (world->tcp, "t2");
      g_assert_cmpint (send (line.near, "x", 1, MSG_NOSIGNAL), ==, 1);
      assert_hears (line.far, "x");
      switch (i)
        {
        case 0:
          reeve_net_tcp_cut_plugin (world->tcp, "tool-x");
          break;
        case 1:
          reeve_net_tcp_cut_tenant (world->tcp, "t1");
          break;
        case 2:
          g_clear_object (&line.context); /* the call is over */
          break;
        case 3:
          g_cancellable_cancel (world->cancellable);
          break;
        default: /* its deadline */
          break;
        }
      assert_says (line.near, "");
      assert_reset (line.far);
      drop_line (&line);
      wait_for (world, 0);
      g_clear_object (&world->cancellable);
      world->cancellable = g_cancellable_new ();
    }
}

/* Writes until nobody takes more. Returns: how much that was */
static gsize
fill (int near)
{
  g_autofree char *text = g_strnfill (1 << 16, 'w');
  gsize sent = 0;
  gssize n = 0;

  for (guint idle = 0; idle<200; idle = n> 0 ? 0 : idle + 1)
    {
      n = send (near, text, 1 << 16, MSG_NOSIGNAL | MSG_DONTWAIT);
      sent += n > 0 ? (gsize) n : 0;
      if (n < 0)
        g_usleep (1000);
      g_assert_cmpuint (sent, <, 64 << 20);
    }
  return sent;
}

/* What was written to an end that is closed arrives, though the call is over at once. */
static void
test_last_words (World *world, gconstpointer data)
{
  char part[4096];
  gsize size = 0;
  gsize heard = 0;
  gssize n = 0;
  Line line = { 0 };

  grant (world, NULL, 0);
  line = connect_line (world);
  /* more than the server's side takes before it reads */
  size = fill (line.near);
  close (line.near);
  line.near = -1;
  g_clear_object (&line.context);
  g_usleep (100 * 1000);
  while ((n = g_socket_receive (line.far, part, sizeof part, NULL, &world->error)) > 0)
    heard += (gsize) n;
  g_assert_no_error (world->error);
  g_assert_cmpuint (heard, ==, size);
  drop_line (&line);
}

/* A server that takes nothing holds the plugin up, and nothing is gathered; what follows is whole.
 */
static void
test_stalls (World *world, gconstpointer data)
{
  char part[1 << 16];
  gsize sent = 0;
  gsize heard = 0;
  Line line = { 0 };

  grant (world, NULL, 0);
  line = connect_line (world);
  sent = fill (line.near);
  shutdown (line.near, SHUT_WR);
  for (gssize n = 1; n > 0; heard += (gsize) n)
    {
      n = g_socket_receive (line.far, part, sizeof part, NULL, &world->error);
      g_assert_no_error (world->error);
    }
  g_assert_cmpuint (heard, ==, sent);
  drop_line (&line);
}

/* The plugin does not read, and goes while a server fills all there is; nobody spins or stays. */
static void
test_plugin_goes (World *world, gconstpointer data)
{
  g_autofree char *zeros = g_malloc0 (1 << 16);
  Line line = { 0 };

  grant (world, NULL, 0);
  line = connect_line (world);
  g_socket_set_blocking (line.far, FALSE);
  for (guint i = 0; i < 500; i++)
    if (g_socket_send (line.far, zeros, 1 << 16, NULL, NULL) < 0)
      g_usleep (200);
  close (line.near);
  line.near = -1;
  wait_for (world, 0);
  g_socket_set_blocking (line.far, TRUE);
  assert_reset (line.far);
  drop_line (&line);
}

/* A server whose queue is full answers no more: that ends with the call's time, and only so many
 * wait for one at once. */
static gpointer
open_half (gpointer data)
{
  World *world = data;
  g_autoptr (ReeveContext) context = make_context (world, "t1");
  g_autoptr (ReeveCapabilityLease) lease = make_lease (world);
  const ReeveCapabilityCaller caller = { "tool-x", "x", NULL, context, lease };
  GError *error = NULL;

  g_assert_cmpint (reeve_net_tcp_perform (&caller, "127.0.0.1", world->port, world->tcp, &error),
                   ==, -1);
  return error;
}

static void
test_half_open (World *world, gconstpointer data)
{
  g_autoptr (GSocket) full = g_object_ref (world->listener);
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (full, NULL);
  GSocket *queued[8] = { NULL };
  GThread *threads[8] = { NULL };
  guint busy = 0;

  grant (world, NULL, 100);
  g_assert_cmpint (listen (g_socket_get_fd (full), 0), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (queued); i++)
    {
      queued[i] = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, 0, NULL);
      g_socket_set_blocking (queued[i], FALSE);
      g_socket_connect (queued[i], address, NULL, NULL);
    }
  world->deadline = g_get_monotonic_time () + 900 * 1000;
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("half", open_half, world);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autoptr (GError) error = g_thread_join (threads[i]);

      busy += g_error_matches (error, REEVE_ERROR, REEVE_ERROR_BUSY);
      g_assert_true (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_BUSY)
                     || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT));
    }
  g_assert_cmpuint (busy, ==, G_N_ELEMENTS (threads) - REEVE_NET_TCP_PENDING);
  for (guint i = 0; i < G_N_ELEMENTS (queued); i++)
    g_object_unref (queued[i]);
}

static void
test_shutdown (World *world, gconstpointer data)
{
  Line line = { 0 };

  grant (world, NULL, 0);
  line = connect_line (world);
  reeve_net_tcp_shutdown (world->tcp);
  assert_says (line.near, "");
  assert_reset (line.far);
  g_assert_cmpint (open_to (world, line.context, line.lease, "127.0.0.1", world->port), ==, -1);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  drop_line (&line);
  g_assert_cmpuint (count_fds (), <=, world->fds + 3);
}

/* Many at once, each whole. */
static gpointer
echo_all (gpointer data)
{
  World *world = data;
  Line line = connect_line (world);
  guint8 sent[5000];
  guint8 got[5000];

  for (guint round = 0; round < 50; round++)
    {
      gsize n = 0;

      memset (sent, (int) round, sizeof sent);
      g_assert_cmpint (send (line.near, sent, sizeof sent, MSG_NOSIGNAL), ==, sizeof sent);
      while (n < sizeof sent)
        {
          gssize more = g_socket_receive (line.far, (char *) got, sizeof got, NULL, NULL);

          g_assert_cmpint (more, >, 0);
          g_assert_cmpint (g_socket_send (line.far, (char *) got, (gsize) more, NULL, NULL), ==,
                           more);
          n += (gsize) more;
        }
      for (n = 0; n < sizeof got;)
        {
          gssize more = recv (line.near, got + n, sizeof got - n, 0);

          g_assert_cmpint (more, >, 0);
          n += (gsize) more;
        }
      g_assert_cmpmem (got, sizeof got, sent, sizeof sent);
    }
  drop_line (&line);
  return NULL;
}

static void
test_many (World *world, gconstpointer data)
{
  Line lines[40] = { 0 };

  grant (world, NULL, 64);
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    lines[i] = connect_line (world);
  echo_all (world);
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    drop_line (&lines[i]);
  wait_for (world, 0);
  g_assert_cmpuint (count_fds (), <=, world->fds + 3);
}

#define ADD(name, func) g_test_add ("/net-tcp/" name, World, NULL, setup, func, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("both-ways", test_both_ways);
  ADD ("places", test_places);
  ADD ("no-places", test_no_places);
  ADD ("ceiling", test_ceiling);
  ADD ("counts", test_counts);
  ADD ("taken-back", test_taken_back);
  ADD ("stopped", test_stopped);
  ADD ("last-words", test_last_words);
  ADD ("stalls", test_stalls);
  ADD ("plugin-goes", test_plugin_goes);
  ADD ("half-open", test_half_open);
  ADD ("shutdown", test_shutdown);
  ADD ("many", test_many);
  return g_test_run ();
}
