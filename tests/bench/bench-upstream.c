/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The upstream client's processor time for one call, as a ratio to a floor of the same run: the
 * same bytes over the same number of sockets by a bare epoll loop that reads no HTTP. Usage:
 * bench-upstream [SECONDS] [ROUNDS] */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/http-client.h"

#define BODY   150
#define ANSWER 400

static double seconds = 1;
static guint16 port;
static char request_text[1024];
static char answer_text[1024];
static char body_text[BODY + 1];

static double
now (void)
{
  return (double) g_get_monotonic_time () / G_USEC_PER_SEC;
}

static double
cpu (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
         + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
die (const char *what)
{
  perror (what);
  exit (1);
}

static int
watch (int set, int fd)
{
  struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
  int one = 1;

  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return epoll_ctl (set, EPOLL_CTL_ADD, fd, &event);
}

/* ---- the service: one read is one request ---- */

static void
serve (int listener)
{
  int set = epoll_create1 (0);
  struct epoll_event events[256];
  char buffer[4096];

  watch (set, listener);
  for (;;)
    {
      int n = epoll_wait (set, events, 256, -1);

      for (int i = 0; i < n; i++)
        {
          int fd = events[i].data.fd;

          if (fd == listener)
            watch (set, accept (listener, NULL, NULL));
          else if (read (fd, buffer, sizeof buffer) <= 0)
            close (fd);
          else if (write (fd, answer_text, strlen (answer_text)) < 0)
            close (fd);
        }
    }
}

static pid_t
start_service (void)
{
  struct sockaddr_in address
      = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM, 0);
  pid_t pid = 0;

  if (bind (listener, (struct sockaddr *) &address, sizeof address) < 0
      || getsockname (listener, (struct sockaddr *) &address, &length) < 0
      || listen (listener, 1024) < 0)
    die ("listening");
  port = ntohs (address.sin_port);
  pid = fork ();
  if (pid == 0)
    serve (listener);
  close (listener);
  return pid;
}

/* ---- the floor ---- */

static int
connect_bare (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
                                 .sin_port = htons (port) };
  int fd = socket (AF_INET, SOCK_STREAM, 0);

  if (connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    die ("connecting");
  return fd;
}

/* Microseconds of processor time for one exchange. */
static double
measure_floor (guint connections, double *rate)
{
  int set = epoll_create1 (0);
  struct epoll_event events[128];
  g_autofree int *fds = g_new (int, connections);
  char buffer[4096];
  gsize length = strlen (request_text);
  guint count = 0;
  double start = 0;
  double used = 0;

  for (guint i = 0; i < connections; i++)
    watch (set, fds[i] = connect_bare ());
  start = now ();
  used = cpu ();
  for (guint i = 0; i < connections; i++)
    if (write (fds[i], request_text, length) < 0)
      die ("writing");
  while (now () - start < seconds)
    {
      int n = epoll_wait (set, events, 128, 100);

      for (int i = 0; i < n; i++, count++)
        if (read (events[i].data.fd, buffer, sizeof buffer) <= 0
            || write (events[i].data.fd, request_text, length) < 0)
          die ("exchanging");
    }
  *rate = count / (now () - start);
  used = (cpu () - used) * 1e6 / count;
  for (guint i = 0; i < connections; i++)
    close (fds[i]);
  close (set);
  return used;
}

/* ---- ours ---- */

typedef struct
{
  ReeveUpstream *upstream;
  char *url;
  guint count;
  guint open;
  double end;
} Load;

static void start_call (Load *load);

static void
on_head (ReeveUpstreamCall *call, ReeveHttpResponse *head, gpointer user_data)
{
}

static void
on_data (ReeveUpstreamCall *call, const guint8 *data, gsize length, gpointer user_data)
{
}

static void
on_done (ReeveUpstreamCall *call, const GError *error, gpointer user_data)
{
  Load *load = user_data;

  if (error != NULL)
    g_error ("%s", error->message);
  load->count++;
  load->open--;
  if (now () < load->end)
    start_call (load);
}

static const ReeveUpstreamHandlers handlers = { on_head, on_data, on_done };

static void
start_call (Load *load)
{
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("POST", load->url);
  g_autoptr (GBytes) body = g_bytes_new_static (body_text, BODY);

  reeve_http_request_set_body (request, "application/json", body);
  load->open++;
  reeve_upstream_start (load->upstream, request, NULL, &handlers, load);
}

static double
measure_ours (guint connections, double *rate)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ReeveHttpTrust) trust = reeve_http_trust_new (NULL);
  g_autoptr (ReeveHttpClient) client = reeve_http_client_new (context, trust, NULL);
  Load load = { .upstream = REEVE_UPSTREAM (client) };
  double start = now ();
  double used = cpu ();

  load.url = g_strdup_printf ("http://127.0.0.1:%u/v1/chat/completions", port);
  load.end = start + seconds;
  for (guint i = 0; i < connections; i++)
    start_call (&load);
  while (load.open > 0)
    g_main_context_iteration (context, TRUE);
  *rate = load.count / (now () - start);
  used = (cpu () - used) * 1e6 / load.count;
  reeve_http_client_shutdown (client);
  g_free (load.url);
  return used;
}

int
main (int argc, char **argv)
{
  static const guint connections[] = { 1, 16, 64, 256 };
  guint rounds = argc > 2 ? (guint) atoi (argv[2]) : 3;
  pid_t service = 0;

  seconds = argc > 1 ? g_ascii_strtod (argv[1], NULL) : 1;
  memset (body_text, ' ', BODY);
  snprintf (request_text, sizeof request_text,
            "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
            "application/json\r\nUser-Agent: floor\r\nContent-Length: %d\r\n\r\n%s",
            BODY, body_text);
  snprintf (answer_text, sizeof answer_text,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%*s",
            ANSWER, ANSWER, "");
  service = start_service ();
  printf ("%12s %12s %12s %12s %12s %8s\n", "connections", "floor req/s", "ours req/s", "floor us",
          "ours us", "ratio");
  for (guint i = 0; i < G_N_ELEMENTS (connections); i++)
    for (guint round = 0; round < rounds; round++)
      {
        double floor_rate = 0;
        double our_rate = 0;
        double floor_us = measure_floor (connections[i], &floor_rate);
        double our_us = measure_ours (connections[i], &our_rate);

        printf ("%12u %12.0f %12.0f %12.1f %12.1f %8.2f\n", connections[i], floor_rate, our_rate,
                floor_us, our_us, our_us / floor_us);
        fflush (stdout);
      }
  kill (service, SIGKILL);
  return 0;
}
