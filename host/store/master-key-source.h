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

/* Blocks. place: (out, optional, transfer full) where it is kept; made: (out, optional) whether it
 * was made now. Reading the environment takes the key out of it. */
ReeveMasterKey *reeve_master_key_source_load (const ReeveMasterKeySource *self, char **place,
                                              gboolean *made, GError **error);
/* Is that file inside the folder of the state that it protects? */
gboolean reeve_master_key_source_is_beside (const ReeveMasterKeySource *self);

G_END_DECLS
