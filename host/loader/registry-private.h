/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What registry.c (instances) and registry-scan.c (finding, ordering) share. */
#pragma once

#include "confined-instance.h"
#include "module.h"
#include "registry.h"

G_BEGIN_DECLS

/* A version of a plugin that an administrator chose, as it is kept. */
typedef struct
{
  char *version;
  gboolean plain; /* it lies in the folder that is named by the id alone */
  char *manifest; /* digests, hexadecimal */
  char *module;
  char *settings; /* (nullable) */
} ReeveRegistryVersion;

typedef struct
{
  char *id;
  char *path;
  ReeveManifest *manifest; /* NULL when it could not be read */
  const ReevePin *pin;
  ReevePluginState state;
  char *reason;
  ReeveModule *module;
  ReeveKeeper *keeper;           /* (nullable): it runs in a process of its own; since the scan */
  gboolean chosen;               /* its pin is an administrator's: it runs in no other way */
  ReeveRegistryVersion *version; /* (nullable): the one that was chosen */
  ReeveRegistryVersion *former;  /* (nullable): the one before */
} ReeveRegistryPlugin;

typedef struct
{
  char *id;
  ReeveRegistryPlugin *owner;
  ReevePlugin *plugin;
  ReeveBroker *broker;
  char *settings; /* canonical JSON, as they were configured */
} ReeveRegistryInstance;

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
  gboolean upgrading;   /* one version is changed at a time, outside the lock */
  GPtrArray *own_pins;  /* ReevePin; what administrators pinned, never given back */
  GPtrArray *past;      /* ReeveManifest; of former versions, which somebody may still be reading */
  GPtrArray *plugins;   /* ReeveRegistryPlugin, in the order they run, refused ones last */
  GPtrArray *instances; /* ReeveRegistryInstance, in the order they were made */
};

/* between id and version in a folder's name */
#define REEVE_REGISTRY_AT '@'

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
gboolean reeve_registry_check_settings (ReeveManifest *manifest, JsonObject *settings,
                                        GError **error);
/* What must be right of any manifest. FALSE: @error says what is not. */
gboolean reeve_registry_check_manifest (ReeveManifest *manifest, const char *id, GError **error);
/* registry-versions.c: which version of a plugin is chosen, and where it lies. (transfer full)
 * (nullable) */
ReeveManifest *reeve_registry_versions_find (ReeveRegistry *self, const char *plugin_id,
                                             const char *version, GError **error);
/* (transfer none) (nullable): the pin of this build for exactly that manifest */
const ReevePin *reeve_registry_versions_find_pin (ReeveRegistry *self, ReeveManifest *manifest);
/* (transfer none): one that an administrator made. Once for the same; under the lock */
const ReevePin *reeve_registry_versions_add_pin (ReeveRegistry *self, const char *plugin_id,
                                                 const ReeveRegistryVersion *version);
/* Durable. Blocks. */
gboolean reeve_registry_versions_write (ReeveRegistry *self, const char *plugin_id,
                                        const ReeveRegistryVersion *version,
                                        const ReeveRegistryVersion *former, GError **error);
/* While it is scanned: puts the versions that were chosen in the place of those that were found. */
void reeve_registry_versions_choose (ReeveRegistry *self);
ReeveRegistryVersion *reeve_registry_version_copy (const ReeveRegistryVersion *version);
void reeve_registry_version_free (ReeveRegistryVersion *version);
void reeve_registry_pin_free (gpointer pin);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRegistryVersion, reeve_registry_version_free)

G_END_DECLS
