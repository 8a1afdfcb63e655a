/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tool that asks for the capabilities which its arguments name, and says what came of it:
 *   {"calls": [{"capability", "params", "bytes"?}], "threads"?: so many times all of it, at once}
 * -> [{"ok": answer} or {"error": code, "message"}] for each call, one thread after another. With
 * "bytes" (a text; a number: so many zeros) it transfers, and "bytes" of the answer is what came,
 * or its length and "sha256" where that is much. Of net.tcp "params" are {"host", "port", "do"}:
 * steps of "send:TEXT", "fill:BYTES", "read:BYTES" (0: until the end), "end" (of what is sent),
 * "more:COUNT" (connections besides) and "wait:MS"; the answer is {"text", "bytes", "errno"}. With
 * "by": "library" it calls what libraries call, getaddrinfo() to connect(), by itself; with
 * "client" GIO's client does; with "attempts" it tries what no grant gives, and the error says what
 * came of each; with "trap" it is refused a call, and ends.
 * With "after" (ms) it answers at once, and asks when its call is over; what came of that the next
 * one with "kept" tells; with "stay" (ms) it stays for so long, and leaves behind what it began. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <reeve-plugin-1.h>
#include <string.h>

typedef struct
{
  ReeveContext *context;
  JsonArray *calls;
  JsonArray *results; /* this thread's own */
} Probe;

static JsonObject *
probe_show_error (const GError *error)
{
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "error",
                                 error->domain == REEVE_ERROR
                                     ? reeve_error_get_name ((ReeveError) error->code)
                                     : g_quark_to_string (error->domain));
  json_object_set_string_member (shown, "message", error->message);
  return shown;
}

static GBytes *
probe_get_bytes (JsonObject *call)
{
  gint64 zeros = reeve_json_get_int (call, "bytes", -1);
  const char *text = reeve_json_get_string (call, "bytes", "");

  return zeros >= 0 ? g_bytes_new_take (g_malloc0 ((gsize) zeros), (gsize) zeros)
                    : g_bytes_new (text, strlen (text));
}

static JsonObject *
probe_transfer_one (ReeveContext *context, JsonObject *call)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = probe_get_bytes (call);
  g_autoptr (JsonNode) answer = NULL;
  g_autoptr (GBytes) content
      = reeve_context_transfer (context, reeve_json_get_string (call, "capability", ""),
                                json_object_get_member (call, "params"), bytes, &answer, &error);
  JsonObject *shown = NULL;

  if (content == NULL)
    return probe_show_error (error);
  shown = json_object_new ();
  json_object_set_member (shown, "ok", json_node_ref (answer));
  if (g_bytes_get_size (content) > 4096)
    {
      g_autofree char *digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, content);

      json_object_set_int_member (shown, "bytes", (gint64) g_bytes_get_size (content));
      json_object_set_string_member (shown, "sha256", digest);
    }
  else
    {
      gsize size = 0;
      const char *data = g_bytes_get_data (content, &size);
      g_autofree char *text = g_strndup (data != NULL ? data : "", size);

      json_object_set_string_member (shown, "bytes", text);
    }
  return shown;
}

/* (transfer none) */
static const char *
probe_get_word (const char *step, const char *word)
{
  gsize length = strlen (word);

  return strncmp (step, word, length) == 0 ? step + length : NULL;
}

static void
probe_tcp_send (int fd, const char *data, gsize length)
{
  for (gssize n = 0; length > 0 && n >= 0; data += n, length -= (gsize) n)
    {
      n = send (fd, data, length, MSG_NOSIGNAL);
      if (n < 0)
        break;
    }
}

/* @most: 0: until the end */
static void
probe_tcp_read (int fd, gsize most, GString *text, gint64 *bytes)
{
  char data[8192];
  gsize got = 0;
  gssize n = 1;

  while (n > 0 && (most == 0 || got < most))
    {
      n = recv (fd, data, most == 0 ? sizeof data : MIN (sizeof data, most - got), 0);
      if (n <= 0)
        break;
      got += (gsize) n;
      if (text->len < 4096)
        g_string_append_len (text, data, n);
    }
  *bytes += (gint64) got;
}

static int
probe_library_fail (const char *what, int code, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "%s: %s", what, g_strerror (code));
  return -1;
}

/* What libraries do with a socket: options before and behind, flags, who is at the other end. */
static gboolean
probe_library_connect (int fd, const struct addrinfo *to, GError **error)
{
  const struct timeval patience = { .tv_sec = 30 };
  struct sockaddr_storage peer = { 0 };
  socklen_t length = sizeof peer;
  struct timeval kept = { 0 };
  socklen_t kept_length = sizeof kept;
  const int on = 1;
  int problem = 1;
  socklen_t problem_length = sizeof problem;

  if (setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0
      || setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0
      || setsockopt (fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0)
    return probe_library_fail ("setsockopt ()", errno, error) >= 0;
  if (connect (fd, to->ai_addr, to->ai_addrlen) != 0)
    return probe_library_fail ("connect ()", errno, error) >= 0;
  if (connect (fd, to->ai_addr, to->ai_addrlen) == 0 || errno != EISCONN)
    return probe_library_fail ("connect () again", errno, error) >= 0;
  if (getpeername (fd, (struct sockaddr *) &peer, &length) != 0 || length != to->ai_addrlen
      || memcmp (&peer, to->ai_addr, length) != 0)
    return probe_library_fail ("getpeername ()", errno, error) >= 0;
  if (getsockopt (fd, SOL_SOCKET, SO_ERROR, &problem, &problem_length) != 0 || problem != 0
      || getsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &kept, &kept_length) != 0
      || kept.tv_sec != patience.tv_sec
      || setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0
      || (fcntl (fd, F_GETFD) & FD_CLOEXEC) == 0)
    return probe_library_fail ("options behind connect ()", errno, error) >= 0;
  return TRUE;
}

static int
probe_library_open (const char *host, guint16 port, GError **error)
{
  const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
  g_autofree char *service = g_strdup_printf ("%u", port);
  struct addrinfo *found = NULL;
  int code = getaddrinfo (host, service, &hints, &found);
  int fd = -1;

  if (code != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "getaddrinfo (): %s",
                   gai_strerror (code));
      return -1;
    }
  fd = socket (found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
  if (fd < 0)
    probe_library_fail ("socket ()", errno, error);
  else if (!probe_library_connect (fd, found, error))
    {
      close (fd);
      fd = -1;
    }
  freeaddrinfo (found);
  return fd;
}

/* GIO's: resolves and connects by threads and sources of its own. */
static int
probe_client_open (const char *host, guint16 port, GError **error)
{
  g_autoptr (GMainContext) own = g_main_context_new ();
  g_autoptr (GSocketClient) client = NULL;
  g_autoptr (GSocketConnection) connection = NULL;

  g_main_context_push_thread_default (own);
  client = g_socket_client_new ();
  g_socket_client_set_enable_proxy (client, FALSE);
  connection = g_socket_client_connect_to_host (client, host, port, NULL, error);
  g_main_context_pop_thread_default (own);
  return connection != NULL ? fcntl (g_socket_get_fd (g_socket_connection_get_socket (connection)),
                                     F_DUPFD_CLOEXEC, 0)
                            : -1;
}

static void
probe_note_attempt (GString *text, const char *name, long result)
{
  g_string_append_printf (text, "%s %s, ", name, result < 0 ? g_strerror (errno) : "works");
}

/* All other sockets there are, and all other ways to use one that is not connected as yet. */
static int
probe_attempts (guint16 port, GError **error)
{
  const struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons (port),
                                  .sin_addr = { htonl (INADDR_LOOPBACK) } };
  g_autoptr (GString) text = g_string_new (NULL);
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  probe_note_attempt (text, "udp", socket (AF_INET, SOCK_DGRAM, 0));
  probe_note_attempt (text, "udp6", socket (AF_INET6, SOCK_DGRAM, 0));
  probe_note_attempt (text, "mptcp", socket (AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */));
  probe_note_attempt (text, "sctp", socket (AF_INET, SOCK_STREAM, IPPROTO_SCTP));
  probe_note_attempt (text, "raw", socket (AF_INET, SOCK_RAW, IPPROTO_ICMP));
  probe_note_attempt (text, "unix", socket (AF_UNIX, SOCK_STREAM, 0));
  probe_note_attempt (text, "netlink", socket (AF_NETLINK, SOCK_RAW, 0));
  probe_note_attempt (text, "plain-socket", syscall (SYS_socket, AF_INET, SOCK_STREAM, 0));
  probe_note_attempt (text, "plain-connect", syscall (SYS_connect, fd, &to, sizeof to));
  probe_note_attempt (
      text, "fast-open",
      sendto (fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (const struct sockaddr *) &to, sizeof to));
  probe_note_attempt (text, "bind", bind (fd, (const struct sockaddr *) &to, sizeof to));
  probe_note_attempt (text, "listen", listen (fd, 1));
  probe_note_attempt (text, "write", write (fd, "x", 1));
  close (fd);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED, text->str);
  return -1;
}

static int
probe_tcp_open (ReeveContext *context, JsonObject *params, GError **error)
{
  const char *host = reeve_json_get_string (params, "host", "");
  const char *by = reeve_json_get_string (params, "by", "");
  guint16 port = (guint16) reeve_json_get_int (params, "port", 0);
  int fd = -1;

  if (strcmp (by, "trap") == 0 && socket (AF_INET, SOCK_DGRAM, 0) < 0)
    __builtin_trap ();
  if (strcmp (by, "attempts") == 0)
    return probe_attempts (port, error);
  if (strcmp (by, "library") == 0)
    return probe_library_open (host, port, error);
  if (strcmp (by, "client") != 0)
    return reeve_context_tcp (context, host, port, error);
  fd = probe_client_open (host, port, error);
  /* what comes behind waits */
  if (fd >= 0)
    fcntl (fd, F_SETFL, 0);
  return fd;
}

/* FALSE: @error is set */
static gboolean
probe_tcp_more (ReeveContext *context, JsonObject *params, guint count, GArray *fds, GError **error)
{
  for (guint i = 0; i < count; i++)
    {
      int fd = probe_tcp_open (context, params, error);

      if (fd < 0)
        return FALSE;
      g_array_append_val (fds, fd);
    }
  return TRUE;
}

static gboolean
probe_tcp_step (ReeveContext *context, JsonObject *params, const char *step, GArray *fds,
                GString *text, gint64 *bytes, GError **error)
{
  int fd = g_array_index (fds, int, 0);
  const char *rest = NULL;

  errno = 0;
  if ((rest = probe_get_word (step, "send:")) != NULL)
    probe_tcp_send (fd, rest, strlen (rest));
  else if ((rest = probe_get_word (step, "fill:")) != NULL)
    {
      gsize length = (gsize) g_ascii_strtoull (rest, NULL, 10);
      g_autofree char *filling = g_strnfill (length, 'w');

      probe_tcp_send (fd, filling, length);
    }
  else if ((rest = probe_get_word (step, "read:")) != NULL)
    probe_tcp_read (fd, (gsize) g_ascii_strtoull (rest, NULL, 10), text, bytes);
  else if ((rest = probe_get_word (step, "more:")) != NULL)
    return probe_tcp_more (context, params, (guint) g_ascii_strtoull (rest, NULL, 10), fds, error);
  else if ((rest = probe_get_word (step, "wait:")) != NULL)
    g_usleep ((gulong) g_ascii_strtoull (rest, NULL, 10) * 1000);
  else if (strcmp (step, "end") == 0)
    shutdown (fd, SHUT_WR);
  return TRUE;
}

static JsonObject *
probe_tcp_one (ReeveContext *context, JsonObject *params)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GString) text = g_string_new (NULL);
  JsonArray *steps = reeve_json_get_array (params, "do");
  gboolean good = probe_tcp_more (context, params, 1, fds, &error);
  gint64 bytes = 0;
  int problem = 0;
  JsonObject *answer = NULL;
  JsonObject *shown = NULL;

  for (guint i = 0; good && i < json_array_get_length (steps); i++)
    {
      good = probe_tcp_step (context, params, json_array_get_string_element (steps, i), fds, text,
                             &bytes, &error);
      problem = errno != 0 && problem == 0 ? errno : problem;
    }
  for (guint i = 0; i < fds->len; i++)
    close (g_array_index (fds, int, i));
  if (!good)
    return probe_show_error (error);
  answer = json_object_new ();
  json_object_set_string_member (
      answer, "text", g_utf8_validate (text->str, (gssize) text->len, NULL) ? text->str : "");
  json_object_set_int_member (answer, "bytes", bytes);
  json_object_set_string_member (answer, "errno", problem != 0 ? g_strerror (problem) : "");
  shown = json_object_new ();
  json_object_set_object_member (shown, "ok", answer);
  return shown;
}

static JsonObject *
probe_call_one (ReeveContext *context, JsonObject *call)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) result = NULL;
  JsonObject *shown = NULL;

  if (json_object_has_member (call, "bytes"))
    return probe_transfer_one (context, call);
  if (strcmp (reeve_json_get_string (call, "capability", ""), "net.tcp") == 0)
    return probe_tcp_one (context, json_object_get_object_member (call, "params"));
  result = reeve_context_call (context, reeve_json_get_string (call, "capability", ""),
                               json_object_get_member (call, "params"), &error);
  if (result == NULL)
    return probe_show_error (error);
  shown = json_object_new ();
  json_object_set_member (shown, "ok", json_node_ref (result));
  return shown;
}

static gpointer
probe_work (gpointer data)
{
  Probe *self = data;

  for (guint i = 0; i < json_array_get_length (self->calls); i++)
    json_array_add_object_element (
        self->results,
        probe_call_one (self->context, json_array_get_object_element (self->calls, i)));
  return NULL;
}

/* ---- outside of a call ---- */

typedef struct
{
  Probe probe; /* references are its own */
  gulong after;
} ProbeLater;

static struct
{
  GMutex lock;
  GCond changed;
  JsonArray *results; /* (nullable): they have not come */
} probe_kept;

static gpointer
probe_work_later (gpointer data)
{
  ProbeLater *self = data;

  g_usleep (self->after * 1000);
  probe_work (&self->probe);
  g_object_unref (self->probe.context);
  json_array_unref (self->probe.calls);
  g_mutex_lock (&probe_kept.lock);
  if (probe_kept.results != NULL)
    json_array_unref (probe_kept.results); /* nobody asked for it */
  probe_kept.results = self->probe.results;
  g_cond_broadcast (&probe_kept.changed);
  g_mutex_unlock (&probe_kept.lock);
  g_free (self);
  return NULL;
}

static ReeveToolResult *
probe_call_later (JsonObject *arguments, ReeveContext *context)
{
  g_autoptr (JsonNode) node = json_node_copy (json_object_get_member (arguments, "calls"));
  ProbeLater *later = g_new0 (ProbeLater, 1);

  later->probe.context = g_object_ref (context);
  later->probe.calls = json_array_ref (json_node_get_array (node));
  later->probe.results = json_array_new ();
  later->after = (gulong) reeve_json_get_int (arguments, "after", 0);
  g_thread_unref (g_thread_new ("probe", probe_work_later, later));
  g_usleep ((gulong) reeve_json_get_int (arguments, "stay", 0) * 1000);
  return reeve_tool_result_new ("[]", NULL, FALSE);
}

static ReeveToolResult *
probe_tell_kept (void)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  g_autofree char *text = NULL;

  g_mutex_lock (&probe_kept.lock);
  while (probe_kept.results == NULL)
    g_cond_wait (&probe_kept.changed, &probe_kept.lock);
  json_node_take_array (node, g_steal_pointer (&probe_kept.results));
  g_mutex_unlock (&probe_kept.lock);
  text = reeve_json_text (node);
  return reeve_tool_result_new (text, NULL, FALSE);
}

static ReeveToolResult *
probe_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
            GError **error)
{
  guint threads = (guint) CLAMP (reeve_json_get_int (arguments, "threads", 1), 1, 16);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *all = NULL;
  Probe probes[16] = { 0 };
  GThread *running[16] = { NULL };
  g_autofree char *text = NULL;

  if (json_object_has_member (arguments, "after"))
    return probe_call_later (arguments, context);
  if (json_object_has_member (arguments, "kept"))
    return probe_tell_kept ();
  all = json_array_new ();
  for (guint i = 0; i < threads; i++)
    {
      probes[i] = (Probe){ context, reeve_json_get_array (arguments, "calls"), json_array_new () };
      if (threads == 1)
        probe_work (&probes[i]);
      else
        running[i] = g_thread_new ("probe", probe_work, &probes[i]);
    }
  for (guint i = 0; i < threads; i++)
    {
      if (running[i] != NULL)
        g_thread_join (running[i]);
      for (guint j = 0; j < json_array_get_length (probes[i].results); j++)
        json_array_add_element (all, json_node_ref (json_array_get_element (probes[i].results, j)));
      json_array_unref (probes[i].results);
    }
  json_node_take_array (node, all);
  text = reeve_json_text (node);
  return reeve_tool_result_new (text, NULL, FALSE);
}
