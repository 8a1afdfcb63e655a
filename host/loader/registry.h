/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRegistry: finds plugins, says why it refuses one, loads modules in process or has them
 * loaded by processes of their own, makes and keeps instances. Thread-safe. */
#pragma once

#include <reeve-plugin-1.h>

#include "capabilities.h"
#include "keeper.h"
#include "manifest.h"
#include "pins.h"
#include "switches.h"

G_BEGIN_DECLS

typedef struct _ReeveRegistry ReeveRegistry;

typedef enum
{
  REEVE_PLUGIN_STATE_FOUND,   /* manifest and pin are right; not loaded, for nothing uses it */
  REEVE_PLUGIN_STATE_LOADED,  /* its module is loaded */
  REEVE_PLUGIN_STATE_REFUSED, /* see reason */
  REEVE_PLUGIN_STATE_FAILED   /* loaded, but an instance could not be set up: see reason */
} ReevePluginState;

/* One found folder entry; a snapshot. */
typedef struct
{
  char *id;
  char *path;              /* of the manifest */
  ReeveManifest *manifest; /* NULL when it could not be read */
  ReevePluginState state;
  char *reason;             /* NULL unless refused or failed, or its process has trouble */
  gboolean confined;        /* runs in a process of its own */
  ReeveKeeperStatus keeper; /* of that */
  gboolean first_party;     /* it comes with this host */
  ReeveSwitchesEntry *off;  /* (nullable): it is disabled */
  char *former;             /* (nullable): the version before, which a rollback brings back */
} ReeveRegistryEntry;

typedef struct
{
  const char *const *folders; /* each holds <id>/<id>.plugin; earlier ones win */
  const ReevePin *pins;
  const ReevePin *extra_pins; /* nullable: tests */
  ReeveCapabilities *capabilities;
  gint64 setup_us;         /* how long a plugin may take to get ready; 0: 30 s */
  ReeveConfined *confined; /* (nullable): all run in this process */
  ReeveSwitches *switches; /* (nullable): none is disabled, and what is ends with this */
} ReeveRegistrySetup;

ReeveRegistry *reeve_registry_new (const ReeveRegistrySetup *setup) G_GNUC_WARN_UNUSED_RESULT;
ReeveRegistry *reeve_registry_ref (ReeveRegistry *self);
void reeve_registry_unref (ReeveRegistry *self);

/* (transfer full) where plugins lie: given folders (nullable), else the build tree's when the
 * program runs from there, else the installed one; then those of REEVE_PLUGIN_PATH */
char **reeve_registry_find_folders (const char *const *given);
/* Reads all manifests. A bad plugin is listed as refused and never an error of the whole. Once,
 * before the rest. */
void reeve_registry_scan (ReeveRegistry *self);
/* (transfer full) (element-type ReeveRegistryEntry) all that were found, in the order they run
 * (run-after), refused ones last */
GPtrArray *reeve_registry_list (ReeveRegistry *self);
/* (transfer full) (nullable) */
ReeveRegistryEntry *reeve_registry_get (ReeveRegistry *self, const char *plugin_id);
void reeve_registry_entry_free (ReeveRegistryEntry *entry);
const char *reeve_plugin_state_get_name (ReevePluginState state);

/* Makes instance instance_id of plugin plugin_id that offers the interface iface (REEVE_TYPE_TOOL
 * …): loads the module if it is not, checks the descriptor, validates settings (nullable: empty)
 * against the manifest's schema, runs setup on a thread of its own and waits for it, setup_us at
 * most. (transfer none): lives until the shutdown. Blocks. REEVE_ERROR_PLUGIN,
 * REEVE_ERROR_CONFIGURATION (settings), REEVE_ERROR_ALREADY_EXISTS (instance_id taken),
 * REEVE_ERROR_NOT_FOUND. */
ReevePlugin *reeve_registry_instantiate (ReeveRegistry *self, const char *instance_id,
                                         const char *plugin_id, GType iface, JsonObject *settings,
                                         GError **error);
/* What was instantiated is no good: it is shut down, and its plugin listed as failed. Before
 * anybody uses it. */
void reeve_registry_discard (ReeveRegistry *self, const char *instance_id, const GError *reason);
/* Lets a plugin that runs in a process of its own begin anew, also one that is quarantined. Blocks.
 * REEVE_ERROR_NOT_FOUND; REEVE_ERROR_CONFLICT: it runs in this process, or was refused. */
gboolean reeve_registry_restart (ReeveRegistry *self, const char *plugin_id, GError **error);
/* No more calls of it are let in, from now on and after a restart of the host; what is under way
 * ends as it does, and its process behind that. @reason: (nullable). Once more changes nothing.
 * Blocks. REEVE_ERROR_NOT_FOUND; REEVE_ERROR_CONFLICT: of a kind the host cannot be without. */
gboolean reeve_registry_disable (ReeveRegistry *self, const char *plugin_id, const char *by,
                                 const char *reason, GError **error);
/* The next call is let in. Blocks. The same errors; also where the configuration disables it. */
gboolean reeve_registry_enable (ReeveRegistry *self, const char *plugin_id, GError **error);
/* The configuration disables it. Behind the scan, before threads. */
void reeve_registry_configure_off (ReeveRegistry *self, const char *plugin_id);
gboolean reeve_registry_is_off (ReeveRegistry *self, const char *plugin_id);
/* May it be called? %FALSE with %REEVE_ERROR_UNAVAILABLE, which says who must do what. Whoever
 * calls an instance asks before; never blocks. */
gboolean reeve_registry_check (ReeveRegistry *self, const char *plugin_id, GError **error);
/* The same of what nobody offers: the name of a tool, or a media type. */
gboolean reeve_registry_check_offer (ReeveRegistry *self, const char *name, GError **error);

/* Which version of a plugin is wanted. The digests of its files (nullable) are needed where this
 * build has no pin for it. */
typedef struct
{
  const char *version;
  gboolean plain; /* the one in the folder that is named by the id alone, whichever it is */
  const char *manifest;
  const char *module;
  const char *settings; /* of the manifest's SchemaFile */
} ReeveRegistryWanted;

/* Puts another version of a plugin that runs in a process of its own in the place of the present
 * one: it lies in `ID@VERSION` or `ID` of a folder of plugins. Calls under way end in the old one.
 * Where it fails, nothing changes. Durable. Blocks. REEVE_ERROR_NOT_FOUND; REEVE_ERROR_CONFLICT: it
 * cannot be changed now, or without a restart of the host; REEVE_ERROR_PLUGIN: it does not come up;
 * REEVE_ERROR_CONFIGURATION: settings. */
gboolean reeve_registry_upgrade (ReeveRegistry *self, const char *plugin_id,
                                 const ReeveRegistryWanted *wanted, GError **error);
/* The same with the version before. REEVE_ERROR_CONFLICT: there is none. */
gboolean reeve_registry_rollback (ReeveRegistry *self, const char *plugin_id, GError **error);
gint64 reeve_registry_get_setup_us (ReeveRegistry *self);
/* (transfer none) (nullable) */
ReevePlugin *reeve_registry_get_instance (ReeveRegistry *self, const char *instance_id);
/* (transfer container) ids of the plugins of a kind that are not refused, in the order they run;
 * NULL-terminated */
char **reeve_registry_list_kind (ReeveRegistry *self, ReeveKinds kind);
/* (transfer full) a context for one call of an instance, wired to what that instance may reach */
ReeveContext *reeve_registry_new_context (ReeveRegistry *self, ReevePlugin *instance,
                                          const ReeveContextInfo *info, GCancellable *cancellable);
/* Grants have changed: processes of plugins that may have more or less now are started anew, soon.
 * Does not wait. */
void reeve_registry_look (ReeveRegistry *self);
/* The host ends: what is under way in processes of plugins fails, and no more is let in. Behind all
 * that deserved to be waited for; before whatever waits for such calls. */
void reeve_registry_cut (ReeveRegistry *self);
/* Shuts the instances down, last one first. No call may be under way. Modules stay. */
void reeve_registry_shutdown (ReeveRegistry *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRegistry, reeve_registry_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRegistryEntry, reeve_registry_entry_free)

G_END_DECLS
