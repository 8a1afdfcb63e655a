/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server that answers from a script, byte by byte where told, and counts what it was sent: for
 * tests of HTTP clients. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  HOSTILE_END,       /* close the connection */
  HOSTILE_READ,      /* read one whole request (Content-Length) */
  HOSTILE_READ_HEAD, /* read only up to the empty line */
  HOSTILE_SEND,      /* write text */
  HOSTILE_SPLIT,     /* write text, one byte a packet */
  HOSTILE_FILL,      /* write the letter x number times */
  HOSTILE_SLEEP,     /* number of milliseconds */
  HOSTILE_HOLD,      /* nothing, until the client closes the connection */
  HOSTILE_RESET,     /* close with a reset */
  HOSTILE_LOOP       /* start over with the first step */
} HostileKind;

typedef struct
{
  HostileKind kind;
  const char *text;
  guint number;
} HostileStep;

#define READ                                                                                       \
  {                                                                                                \
    HOSTILE_READ, NULL, 0                                                                          \
  }
#define READ_HEAD                                                                                  \
  {                                                                                                \
    HOSTILE_READ_HEAD, NULL, 0                                                                     \
  }
#define SEND(text)                                                                                 \
  {                                                                                                \
    HOSTILE_SEND, text, 0                                                                          \
  }
#define SPLIT(text)                                                                                \
  {                                                                                                \
    HOSTILE_SPLIT, text, 0                                                                         \
  }
#define FILL(n)                                                                                    \
  {                                                                                                \
    HOSTILE_FILL, NULL, n                                                                          \
  }
#define SLEEP(ms)                                                                                  \
  {                                                                                                \
    HOSTILE_SLEEP, NULL, ms                                                                        \
  }
#define HOLD                                                                                       \
  {                                                                                                \
    HOSTILE_HOLD, NULL, 0                                                                          \
  }
#define RESET                                                                                      \
  {                                                                                                \
    HOSTILE_RESET, NULL, 0                                                                         \
  }
#define LOOP                                                                                       \
  {                                                                                                \
    HOSTILE_LOOP, NULL, 0                                                                          \
  }
#define END                                                                                        \
  {                                                                                                \
    HOSTILE_END, NULL, 0                                                                           \
  }

typedef struct _HostileServer HostileServer;

/* Every connection runs scripts[n], n its number; the last script serves all that follow. */
HostileServer *hostile_server_new (const HostileStep *const *scripts, guint n_scripts);
/* Has a port that refuses connections, and that nobody else can come by meanwhile; is not started.
 */
HostileServer *hostile_server_new_deaf (void);
void hostile_server_use_tls (HostileServer *self, const char *certificate, const char *key);
void hostile_server_start (HostileServer *self);
void hostile_server_free (HostileServer *self);
guint hostile_server_get_port (HostileServer *self);
guint hostile_server_count_connections (HostileServer *self);
guint hostile_server_count_requests (HostileServer *self);
/* steps SEND that were done */
guint hostile_server_count_sent (HostileServer *self);
/* (transfer full) the last whole request */
char *hostile_server_dup_last (HostileServer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostileServer, hostile_server_free)

G_END_DECLS
