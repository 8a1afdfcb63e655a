/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the master key is kept: a file, the environment, the Secret Service, systemd. */
#pragma once

#include "master-key.h"

G_BEGIN_DECLS

#define REEVE_MASTER_KEY_SOURCE_DEFAULT  "auto"
#define REEVE_MASTER_KEY_SOURCE_VARIABLE "REEVE_ENCRYPTION_KEY"
#define REEVE_MASTER_KEY_SOURCE_FILE     "master.key"

typedef struct
{
  const char *source;       /* auto, file[:PATH], env[:NAME], libsecret[:NAME], credential:NAME */
  const char *state_folder; /* whose file auto and file mean */
  gboolean may_make;        /* when there is none: the first start, or a new one is wanted */
} ReeveMasterKeySource;

/* What was found. */
typedef struct
{
  char *text;      /* where it is kept, for people */
  gboolean made;   /* now */
  gboolean beside; /* inside the folder of the state that it protects */
} ReeveMasterKeyPlace;

/* Blocks. place: (out caller-allocates), to be cleared. Reading the environment takes the key out
 * of it. */
ReeveMasterKey *reeve_master_key_source_load (const ReeveMasterKeySource *self,
                                              ReeveMasterKeyPlace *place, GError **error);
void reeve_master_key_source_clear_place (ReeveMasterKeyPlace *place);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveMasterKeyPlace, reeve_master_key_source_clear_place)

G_END_DECLS
