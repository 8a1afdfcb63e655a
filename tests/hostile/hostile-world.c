/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open to all by their modes: what refuses is the confinement, and not who owns them. */
#include "hostile-world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../helpers/test-tree.h"

#define HOSTILE_WORLD_BACKLOG 64

/* what the victim keeps to itself */
static char hostile_world_secret[] = "a secret of somebody else's";

static char *
hostile_world_make_folder (HostileWorld *self, const char *name, mode_t mode)
{
  char *path = g_build_filename (self->folder, name, NULL);

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  g_assert_cmpint (g_chmod (path, mode), ==, 0);
  return path;
}

static void
hostile_world_put (const char *folder, const char *name, const char *bytes, gsize length)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
  g_assert_cmpint (g_chmod (path, 0666), ==, 0);
}

static void
hostile_world_put_text (const char *folder, const char *name, const char *text)
{
  hostile_world_put (folder, name, text, strlen (text));
}

static void
hostile_world_put_link (const char *folder, const char *name, const char *target)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_cmpint (symlink (target, path), ==, 0);
}

static void
hostile_world_make_files (HostileWorld *self, const char *module)
{
  g_autofree char *plugin = NULL;
  g_autofree char *secret = NULL;
  g_autofree char *bytes = NULL;
  gsize length = 0;

  /* not in this test's own folder, which is closed to others; not in /tmp, where a process that was
   * granted `scratch` sees that */
  self->folder = g_strdup ("/var/tmp/reeve-hostile.XXXXXX");
  g_assert_nonnull (g_mkdtemp (self->folder));
  g_assert_cmpint (g_chmod (self->folder, 0755), ==, 0);
  self->granted = hostile_world_make_folder (self, "granted", 0777);
  self->other = hostile_world_make_folder (self, "other", 0777);
  self->scratch = hostile_world_make_folder (self, "scratch", 0777);
  plugin = hostile_world_make_folder (self, "plugin", 0777);
  g_assert_true (g_file_get_contents (module, &bytes, &length, NULL));
  hostile_world_put (plugin, "attacker.so", bytes, length);
  self->module = g_build_filename (plugin, "attacker.so", NULL);
  hostile_world_put (self->granted, "library.so", bytes, length);
  hostile_world_put_text (self->granted, "file", "granted\n");
  hostile_world_put_text (self->granted, "empty", "");
  hostile_world_put_text (self->other, "secret", "of another tenant's\n");
  secret = g_build_filename (self->other, "secret", NULL);
  hostile_world_put_link (self->granted, "link", secret);
  hostile_world_put_link (self->granted, "relative-link", "../other/secret");
}

/* A process of the same user's, that lets itself be traced where the kernel asks for that. */
static void
hostile_world_start_victim (HostileWorld *self)
{
  self->victim = fork ();
  g_assert_cmpint (self->victim, >=, 0);
  if (self->victim > 0)
    return;
  prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  prctl (PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  for (;;)
    pause ();
}

static gboolean
hostile_world_listen (int fd, const void *address, gsize length)
{
  return fd >= 0 && bind (fd, address, (socklen_t) length) == 0
         && listen (fd, HOSTILE_WORLD_BACKLOG) == 0;
}

static void
hostile_world_listen_internet (HostileWorld *self)
{
  struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr = { htonl (INADDR_LOOPBACK) } };
  struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
  socklen_t length = sizeof four;

  self->sockets[0] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_true (hostile_world_listen (self->sockets[0], &four, sizeof four));
  g_assert_cmpint (getsockname (self->sockets[0], (struct sockaddr *) &four, &length), ==, 0);
  self->port = ntohs (four.sin_port);
  self->sockets[1] = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (self->sockets[1], (struct sockaddr *) &four, sizeof four), ==, 0);
  /* not every machine has it: the control sees that */
  six.sin6_port = four.sin_port;
  self->sockets[2] = socket (AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (self->sockets[2] >= 0)
    (void) hostile_world_listen (self->sockets[2], &six, sizeof six);
}

static void
hostile_world_listen_local (HostileWorld *self)
{
  const char *const names[] = { self->socket, self->name };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      struct sockaddr_un address = { .sun_family = AF_UNIX };
      gsize length = strlen (names[i]);

      memcpy (address.sun_path + i, names[i], length);
      self->sockets[3 + i] = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      g_assert_true (hostile_world_listen (self->sockets[3 + i], &address,
                                           offsetof (struct sockaddr_un, sun_path) + 1 + length));
    }
  g_assert_cmpint (g_chmod (self->socket, 0777), ==, 0);
}

HostileWorld *
hostile_world_new (const char *module)
{
  HostileWorld *self = g_new0 (HostileWorld, 1);

  memset (self->sockets, -1, sizeof self->sockets);
  hostile_world_make_files (self, module);
  self->socket = g_build_filename (self->folder, "socket", NULL);
  self->name = g_strdup_printf ("reeve-hostile-%d", getpid ());
  hostile_world_start_victim (self);
  hostile_world_listen_internet (self);
  hostile_world_listen_local (self);
  return self;
}

void
hostile_world_free (HostileWorld *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->sockets); i++)
    {
      if (self->sockets[i] >= 0)
        close (self->sockets[i]);
    }
  if (self->victim > 0)
    {
      kill (self->victim, SIGKILL);
      waitpid (self->victim, NULL, 0);
    }
  test_tree_remove (self->folder);
  g_free (self->folder);
  g_free (self->granted);
  g_free (self->other);
  g_free (self->scratch);
  g_free (self->module);
  g_free (self->socket);
  g_free (self->name);
  g_free (self);
}

JsonNode *
hostile_world_describe (HostileWorld *self, pid_t victim, const char *scratch)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *world = json_object_new ();

  json_object_set_string_member (world, "granted", self->granted);
  json_object_set_string_member (world, "other", self->other);
  json_object_set_string_member (world, "scratch", scratch != NULL ? scratch : self->scratch);
  json_object_set_string_member (world, "module", self->module);
  json_object_set_string_member (world, "socket", self->socket);
  json_object_set_string_member (world, "name", self->name);
  json_object_set_int_member (world, "victim", victim != 0 ? victim : self->victim);
  json_object_set_int_member (world, "address", (gint64) GPOINTER_TO_SIZE (hostile_world_secret));
  json_object_set_int_member (world, "port", self->port);
  json_node_take_object (node, world);
  return node;
}
