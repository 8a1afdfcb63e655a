/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes of the wire's socket, cut into messages with their descriptors. One thread at a time. */
#pragma once

#include <reeve-plugin-1.h>

#include "wire/wire-letter.h"

G_BEGIN_DECLS

typedef struct
{
  int fd;
  guint8 *data;
  gsize size;
  gsize start; /* of what has not been taken */
  gsize end;
  GArray *fds;      /* int, in the order in which they came */
  gboolean drained; /* the last read took all that there was */
} RunnerInput;

typedef enum
{
  RUNNER_INPUT_MESSAGE,
  RUNNER_INPUT_WAITING, /* for more bytes: none are there */
  RUNNER_INPUT_ENDED    /* the host is gone, or none of ours */
} RunnerInputState;

void runner_input_init (RunnerInput *self, int fd);
/* The next line of a greeting, without its end; %NULL: there is none. Blocks. */
char *runner_input_read_line (RunnerInput *self);
/* Something may have come since it was said that there is nothing. */
void runner_input_wake (RunnerInput *self);
/* The next message, (transfer full), where it is there. Does not block. */
RunnerInputState runner_input_read (RunnerInput *self, WireLetter **message);

G_END_DECLS
