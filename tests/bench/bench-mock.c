/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The upstream of bench_host.py: OpenAI's chat answers, whole or as an event stream, late and paced
 * as the model's name asks: mock-l20000-d10000 waits 20 ms and then 10 ms between events. One
 * thread, one epoll set, no allocation for a request. Prints its port. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 32 /* of a stream, besides the one that begins it and the one that ends it */
#define WAITS  8192
#define INPUT  16384

typedef struct
{
  int fd;
  size_t length;
  long delay; /* between two events, µs; 0: all at once */
  int event;  /* the next one */
  char input[INPUT];
} Client;

/* who is due when: first come, first due, as all clients of a measurement wait alike */
typedef struct
{
  long at;
  Client *client;
} Wait;

static int set;
static Wait waits[WAITS];
static unsigned first_wait;
static unsigned last_wait;
static char whole[2048];
static char head[512];
static char events[EVENTS + 2][2048];

static long
now (void)
{
  struct timespec time = { 0 };

  clock_gettime (CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000L + time.tv_nsec / 1000;
}

static void
drop (Client *client)
{
  for (unsigned i = first_wait; i != last_wait; i++)
    if (waits[i % WAITS].client == client)
      waits[i % WAITS].client = NULL;
  close (client->fd);
  free (client);
}

static void
wait_for (Client *client, long delay)
{
  if (last_wait - first_wait == WAITS)
    abort ();
  waits[last_wait++ % WAITS] = (Wait){ now () + delay, client };
}

static void
say (Client *client, const char *text)
{
  size_t length = strlen (text);

  while (length > 0)
    {
      ssize_t n = send (client->fd, text, length, MSG_NOSIGNAL);

      if (n < 0 && errno != EAGAIN)
        return; /* its end is read next */
      text += n > 0 ? n : 0;
      length -= n > 0 ? (size_t) n : 0;
    }
}

static void
make_texts (void)
{
  static const char usage[]
      = "\"usage\":{\"prompt_tokens\":42,\"completion_tokens\":64,\"total_tokens\":106}";
  char body[1536] = { 0 };
  int length = snprintf (
      body, sizeof body,
      "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":"
      "\"mock\","
      "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%0256d\"},"
      "\"finish_reason\":\"stop\"}],%s}",
      0, usage);

  snprintf (whole, sizeof whole,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
            length, body);
  snprintf (
      head, sizeof head,
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i <= EVENTS; i++)
    {
      length
          = snprintf (body, sizeof body,
                      "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\","
                      "\"created\":1700000000,\"model\":\"mock\",\"choices\":[{\"index\":0,"
                      "\"delta\":{%s},\"finish_reason\":%s}]}\n\n",
                      i < EVENTS ? "\"content\":\"word \"" : "", i < EVENTS ? "null" : "\"stop\"");
      snprintf (events[i], sizeof events[i], "%x\r\n%s\r\n", (unsigned) length, body);
    }
  snprintf (events[EVENTS + 1], sizeof events[0], "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
}

static void
go_on (Client *client)
{
  if (client->event < 0)
    {
      say (client, whole);
      return;
    }
  if (client->event == 0)
    say (client, head);
  do
    say (client, events[client->event++]);
  while (client->event < EVENTS + 2 && client->delay == 0);
  if (client->event < EVENTS + 2)
    wait_for (client, client->delay);
}

static long
find_number (const char *body, const char *before)
{
  const char *model = strstr (body, "\"model\":");
  const char *end = model != NULL ? strchr (model + 8, ',') : NULL;
  const char *at = model != NULL ? strstr (model, before) : NULL;

  return at != NULL && (end == NULL || at < end) ? atol (at + strlen (before)) : 0;
}

static void
answer (Client *client, const char *body)
{
  long late = find_number (body, "-l");

  client->delay = find_number (body, "-d");
  client->event = strstr (body, "\"stream\":true") != NULL ? 0 : -1;
  if (late > 0)
    wait_for (client, late);
  else
    go_on (client);
}

/* Whole requests only; FALSE: the client has gone. */
static int
read_more (Client *client)
{
  ssize_t n = recv (client->fd, client->input + client->length, INPUT - 1 - client->length, 0);
  char *body = NULL;
  const char *length = NULL;

  if (n <= 0)
    return n < 0 && errno == EAGAIN;
  client->length += (size_t) n;
  client->input[client->length] = '\0';
  body = strstr (client->input, "\r\n\r\n");
  length = body != NULL ? strcasestr (client->input, "\r\ncontent-length:") : NULL;
  if (body == NULL
      || client->length
             < (size_t) (body + 4 - client->input) + (length ? strtoul (length + 17, NULL, 10) : 0))
    return client->length < INPUT - 1;
  client->length = 0;
  answer (client, body + 4);
  return 1;
}

static void
accept_one (int listener)
{
  int fd = accept4 (listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  int one = 1;
  Client *client = fd >= 0 ? calloc (1, sizeof *client) : NULL;
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

  if (client == NULL)
    return;
  client->fd = fd;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  epoll_ctl (set, EPOLL_CTL_ADD, fd, &event);
}

static int
serve_waits (void)
{
  while (first_wait != last_wait)
    {
      Wait wait = waits[first_wait % WAITS];
      long left = wait.at - now ();

      if (left > 0)
        return (int) (left / 1000 + 1);
      first_wait++;
      if (wait.client != NULL)
        go_on (wait.client);
    }
  return -1;
}

int
main (void)
{
  struct sockaddr_in address
      = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
  struct epoll_event ready[256];

  if (bind (listener, (struct sockaddr *) &address, sizeof address) < 0
      || getsockname (listener, (struct sockaddr *) &address, &size) < 0
      || listen (listener, 4096) < 0)
    return 1;
  make_texts ();
  set = epoll_create1 (EPOLL_CLOEXEC);
  epoll_ctl (set, EPOLL_CTL_ADD, listener, &event);
  printf ("%u\n", ntohs (address.sin_port));
  fflush (stdout);
  for (;;)
    {
      int timeout = serve_waits ();
      int n = epoll_wait (set, ready, 256, timeout);

      for (int i = 0; i < n; i++)
        if (ready[i].data.ptr == NULL)
          accept_one (listener);
        else if (!read_more (ready[i].data.ptr))
          drop (ready[i].data.ptr);
    }
}
