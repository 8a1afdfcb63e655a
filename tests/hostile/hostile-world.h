/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What attacks are aimed at: folders, a process, sockets that somebody listens on. */
#pragma once

#include <json-glib/json-glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

typedef struct
{
  char *folder;
  char *granted;
  char *other;
  char *scratch; /* what stands for a folder to write in, where nothing is confined */
  char *module;  /* a copy of the plugin that every user may read and write */
  char *socket;
  char *name; /* of an abstract socket */
  pid_t victim;
  guint16 port;
  int sockets[5];
} HostileWorld;

/* @module: the plugin */
HostileWorld *hostile_world_new (const char *module) G_GNUC_WARN_UNUSED_RESULT;
void hostile_world_free (HostileWorld *self);
/* (transfer full): arguments of an attack's call. @victim: which process; 0: the world's own;
 * @scratch: (nullable): where it may write; %NULL: the world's own */
JsonNode *hostile_world_describe (HostileWorld *self, pid_t victim, const char *scratch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostileWorld, hostile_world_free)

G_END_DECLS
