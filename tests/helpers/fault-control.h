/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a test tells fault-preload.c in another process, through a file that both map:
 * $REEVE_FAULT_FILE. tests/outside/faults.py writes the same bytes. */
#pragma once

#include <stdint.h>

/* which calls count; a bit each */
#define FAULT_WRITE    1u  /* write, pwrite */
#define FAULT_SYNC     2u  /* fsync, fdatasync */
#define FAULT_TRUNCATE 4u  /* ftruncate */
#define FAULT_RENAME   8u  /* rename */
#define FAULT_CREATE   16u /* open with O_CREAT of a file that is not there, mkdir */
#define FAULT_ALLOCATE 32u /* posix_fallocate */
#define FAULT_ALL      63u

/* what happens to the call */
typedef enum
{
  FAULT_NONE,      /* counted only */
  FAULT_FULL,      /* ENOSPC */
  FAULT_READ_ONLY, /* EROFS */
  FAULT_IO,        /* EIO */
  FAULT_SHORT,     /* half is written, the rest meets ENOSPC; anything else than a write: ENOSPC */
  FAULT_SPARE,     /* a full disk on which one file makes room: ENOSPC, but for files whose path
                      contains the control's @may once its @spare is gone */
  FAULT_KILL,      /* the process dies before the call */
  FAULT_KILL_HALF  /* the process dies in the middle of a write, after any other call */
} FaultKind;

/* native byte order; fixed layout, 8-byte aligned */
typedef struct
{
  uint32_t kind;
  uint32_t calls;   /* FAULT_WRITE | …: those that count */
  uint32_t first;   /* the n-th call from arming on meets it, from 1; 0: none does */
  uint32_t last;    /* and all up to this one; UINT32_MAX: until the test says otherwise */
  uint32_t seen;    /* out: calls counted; the test sets it to 0 */
  uint32_t failed;  /* out: calls that met the fault */
  int64_t clock_us; /* added to the wall clock */
  char path[256];   /* only files whose path contains this; empty: all below $REEVE_FAULT_ROOT */
  char hit[256];    /* out: path of the last call that met it */
  char spare[256];
  char may[256];
  uint32_t held; /* this thread gets no processor: it comes back from poll() when the test says so;
                    0: none */
  uint32_t stalled; /* syncs that count wait while this is not 0, then they meet the fault or not */
  uint32_t waiting; /* out: syncs that wait so */
  uint32_t unused;
} FaultControl;
