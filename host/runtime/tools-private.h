/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of ReeveTools share: tools.c has the tools, tools-call.c their calls. */
#pragma once

#include "base/json-schema.h"
#include "tools.h"

G_BEGIN_DECLS

typedef struct
{
  ReeveToolInfo *info;
  ReeveSchema *schema;
  ReevePlugin *plugin;
  char *plugin_id;
  ReeveToolHints hints; /* for policies */
} ReeveToolsItem;

struct _ReeveTools
{
  GObject parent_instance;

  ReeveRegistry *registry;
  ReeveWorkers *workers;
  GPtrArray *items; /* atomic: ReeveToolsItem; never changed, another takes its place */
  GMutex lock;      /* of whoever puts it there, and the two below */
  GPtrArray *past;  /* GPtrArray: those that were there; somebody may read them still */
  GPtrArray *owned; /* ReeveToolsItem */
};

/* (transfer none) (nullable) */
ReeveToolsItem *reeve_tools_find (ReeveTools *self, const char *name);

G_END_DECLS
