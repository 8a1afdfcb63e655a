/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What registry.c (instances) and registry-scan.c (finding, ordering) share. */
#pragma once

#include "confined-instance.h"
#include "module.h"
#include "registry.h"

G_BEGIN_DECLS

typedef struct
{
  char *id;
  char *path;
  ReeveManifest *manifest; /* NULL when it could not be read */
  const ReevePin *pin;
  ReevePluginState state;
  char *reason;
  ReeveModule *module;
  ReeveKeeper *keeper; /* (nullable): it runs in a process of its own; since the scan */
} ReeveRegistryPlugin;

struct _ReeveRegistry
{
  gatomicrefcount refs;
  char **folders;
  const ReevePin *pins;
  const ReevePin *extra_pins;
  ReeveCapabilities *capabilities;
  gint64 setup_us;
  ReeveConfined *confined; /* (nullable) */
  ReeveSwitches *switches;
  GMutex lock;      /* guards plugins' state and instances; held across no plugin call and no I/O */
  GCond loaded;     /* with lock: loading ended */
  gboolean loading; /* one module is loaded at a time, outside the lock */
  GPtrArray *plugins;   /* ReeveRegistryPlugin, in the order they run, refused ones last */
  GPtrArray *instances; /* ReeveRegistryInstance, in the order they were made */
};

ReeveRegistryPlugin *reeve_registry_find (ReeveRegistry *self, const char *plugin_id);
void reeve_registry_plugin_free (gpointer data);
/* (transfer full) reason, unless it has one already */
void reeve_registry_refuse (ReeveRegistryPlugin *plugin, char *reason);
/* (transfer full) text of a plugin's making as one that can be shown: valid, of bounded length */
char *reeve_registry_make_reason (const char *text);
/* Puts the plugins in order and refuses those whose rules cannot be kept. */
void reeve_registry_arrange (ReeveRegistry *self);
/* registry-confined.c: which plugins run in processes of their own */
void reeve_registry_confined_choose (ReeveRegistry *self);
/* (transfer full) (nullable): an instance of such a plugin */
ReevePlugin *reeve_registry_confined_make (ReeveRegistryPlugin *plugin, ReeveWireKinds kind,
                                           JsonObject *settings, ReeveBroker *broker,
                                           GError **error);
void reeve_registry_confined_describe (ReeveRegistryPlugin *plugin, ReeveRegistryEntry *entry);
void reeve_registry_confined_close (ReeveRegistry *self);

G_END_DECLS
