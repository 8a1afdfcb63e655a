/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The load of bench_host.py's streams: each of CONNECTIONS asks for one event stream after the
 * other and reads it to [DONE]. Prints JSON: streams and events a second, µs to the first event
 * (p50, p99), streams that were cut short. Usage: bench-streams PORT CONNECTIONS SECONDS MODEL
 * [HEADER…] */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define TAIL 64

typedef struct
{
  int fd;
  gint64 began;
  gint64 first; /* 0: no event yet */
  guint events;
  char tail[TAIL + 1]; /* the last bytes that came */
} Stream;

static struct sockaddr_in address;
static GString *request;
static int set;
static GArray *firsts; /* (element-type double) µs */
static guint64 events;
static guint streams;
static guint bad;

static void
begin (Stream *stream)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = stream };
  int one = 1;

  if (stream->fd < 0)
    {
      stream->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (connect (stream->fd, (struct sockaddr *) &address, sizeof address) < 0)
        g_error ("connecting: %s", g_strerror (errno));
      setsockopt (stream->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      fcntl (stream->fd, F_SETFL, O_NONBLOCK);
      epoll_ctl (set, EPOLL_CTL_ADD, stream->fd, &event);
    }
  stream->began = g_get_monotonic_time ();
  stream->first = 0;
  stream->events = 0;
  memset (stream->tail, 0, sizeof stream->tail);
  if (send (stream->fd, request->str, request->len, MSG_NOSIGNAL) != (gssize) request->len)
    bad++;
}

static void
finish (Stream *stream, gboolean whole, gboolean closed)
{
  double first = (double) (stream->first - stream->began);

  if (whole)
    {
      streams++;
      g_array_append_val (firsts, first);
    }
  else
    bad++;
  if (closed)
    {
      close (stream->fd);
      stream->fd = -1;
    }
}

static void
keep_tail (Stream *stream, const char *data, gsize length)
{
  gsize have = strlen (stream->tail);

  if (length >= TAIL)
    memcpy (stream->tail, data + length - TAIL, TAIL);
  else
    {
      gsize keep = MIN (have, TAIL - length);

      memmove (stream->tail, stream->tail + have - keep, keep);
      memcpy (stream->tail + keep, data, length);
      stream->tail[keep + length] = '\0';
    }
}

/* TRUE: the stream has ended. */
static gboolean
read_more (Stream *stream)
{
  char buffer[16384];
  gssize n = recv (stream->fd, buffer, sizeof buffer - 1, 0);
  gboolean whole = FALSE;

  if (n < 0 && errno == EAGAIN)
    return FALSE;
  if (n > 0)
    {
      buffer[n] = '\0';
      for (const char *at = buffer; (at = strstr (at, "data: {")) != NULL; at++)
        stream->events++;
      if (stream->first == 0 && stream->events > 0)
        stream->first = g_get_monotonic_time ();
      keep_tail (stream, buffer, (gsize) n);
      if (!g_str_has_suffix (stream->tail, "0\r\n\r\n"))
        return FALSE;
    }
  whole = strstr (stream->tail, "data: [DONE]") != NULL && stream->events >= 32;
  events += stream->events;
  finish (stream, whole, n <= 0);
  return TRUE;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a;
  double y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static double
percentile (double part)
{
  return firsts->len > 0 ? g_array_index (firsts, double, (guint) (part * (firsts->len - 1))) : 0;
}

int
main (int argc, char **argv)
{
  guint connections = argc > 4 ? (guint) atoi (argv[2]) : 0;
  gint64 length = argc > 4 ? (gint64) (g_ascii_strtod (argv[3], NULL) * G_USEC_PER_SEC) : 0;
  g_autofree Stream *all = g_new0 (Stream, MAX (connections, 1));
  g_autofree char *body = NULL;
  struct epoll_event ready[256];
  gint64 start = 0;

  if (connections == 0)
    return 2;
  address = (struct sockaddr_in){ .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
                                  .sin_port = htons ((guint16) atoi (argv[1])) };
  body = g_strdup_printf ("{\"model\":\"%s\",\"stream\":true,\"messages\":[{\"role\":\"user\","
                          "\"content\":\"Summarise the quarterly report.\"}]}",
                          argv[4]);
  request = g_string_new ("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                          "Content-Type: application/json\r\n");
  for (int i = 5; i < argc; i++)
    g_string_append_printf (request, "%s\r\n", argv[i]);
  g_string_append_printf (request, "Content-Length: %zu\r\n\r\n%s", strlen (body), body);
  firsts = g_array_new (FALSE, FALSE, sizeof (double));
  set = epoll_create1 (EPOLL_CLOEXEC);
  start = g_get_monotonic_time ();
  for (guint i = 0; i < connections; i++)
    {
      all[i].fd = -1;
      begin (&all[i]);
    }
  while (g_get_monotonic_time () - start < length)
    {
      int n = epoll_wait (set, ready, 256, 100);

      for (int i = 0; i < n; i++)
        if (read_more (ready[i].data.ptr))
          begin (ready[i].data.ptr);
    }
  g_array_sort (firsts, compare);
  printf ("{\"streams\": %.1f, \"events\": %.1f, \"p50\": %.1f, \"p99\": %.1f, \"bad\": %u}\n",
          (double) streams * G_USEC_PER_SEC / (double) length,
          (double) events * G_USEC_PER_SEC / (double) length, percentile (0.5), percentile (0.99),
          bad);
  g_string_free (request, TRUE);
  g_array_unref (firsts);
  return 0;
}
