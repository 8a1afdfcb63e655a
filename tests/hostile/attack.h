/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a hostile plugin tries: the same code runs free, as control, and confined, twice. Each
 * attack leaves everything as it was. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* Where it happens: the test made all of it. */
typedef struct
{
  const char
      *granted;      /* folder that this plugin may read: file, empty, library.so, and links out */
  const char *other; /* folder of somebody else's, open to all by its mode: secret */
  const char *scratch;   /* folder that it may write in, where that was granted; it is empty */
  const char *module;    /* path of this plugin's own module */
  const char *socket;    /* path of a Unix socket that somebody listens on */
  const char *name;      /* the same, of an abstract one */
  gint64 victim;         /* id of a process that is not this one */
  gint64 address;        /* of bytes in it */
  gint64 port;           /* of TCP and UDP that somebody listens on, 127.0.0.1 and ::1 */
  ReeveContext *context; /* of the call that tries it */
} AttackWorld;

/* 0: it succeeded; else errno, or one of the negative numbers of getaddrinfo() */
typedef int (*AttackFunc) (const AttackWorld *world);

typedef struct
{
  const char *name; /* NULL: the last */
  AttackFunc make;
} Attack;

extern const Attack attack_files[];
extern const Attack attack_memory[];
extern const Attack attack_network[];
extern const Attack attack_code[];
extern const Attack attack_kernel[];
extern const Attack attack_exhaustion[];
extern const Attack attack_scratch[];

/* @value of a call of the system as an attack's answer */
int attack_result (long value);
/* the same of a descriptor, which is closed */
int attack_fd (long fd);
int attack_open (const char *path, int flags);
int attack_open_in (const char *folder, const char *name, int flags);
/* the same of a path for which there is a descriptor: by /proc */
int attack_open_again (int fd, int flags);
/* Each makes something of a name in @folder, which goes again. */
int attack_create_in (const char *folder);
int attack_make_folder_in (const char *folder, unsigned mode);
int attack_make_pipe_in (const char *folder);
/* a file without an end */
int attack_stretch_in (const char *folder);
/* a file gets the name that it has */
int attack_rename_in (const char *folder, const char *name);
/* what is somebody else's */
int attack_read_other (const AttackWorld *world);
/* of clone(): the child ends, and is waited for */
int attack_child (long child);
/* Makes it in a process of its own, which prints nothing, where there can be one: what succeeds
 * does not come back, or stays. */
int attack_in_child (AttackFunc make, const AttackWorld *world);

/* the same in the folder of process @pid below /proc */
int attack_open_proc (gint64 pid, const char *name, int flags);
/* (transfer full): which calls of the system were not refused that must be; "": none. @scratch: a
 * folder to write in was granted. Not free: who may do it all calls vhangup(). */
char *attack_sweep (gboolean scratch);

G_END_DECLS
