/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePlugin, the base class of what a plugin offers, and the descriptor, its one exported symbol.
 */
#pragma once

#include "reeve-context.h"

G_BEGIN_DECLS

#define REEVE_TYPE_PLUGIN (reeve_plugin_get_type ())

REEVE_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (ReevePlugin, reeve_plugin, REEVE, PLUGIN, GObject)

/**
 * ReevePluginClass:
 * @parent_class: the parent
 * @setup: called once, on a worker thread, before any other function of the instance; settings were
 * validated against the manifest's schema; an error disables this instance and no other. May be
 * %NULL
 * @shutdown: called once at the end, when no call is under way any more. May be %NULL
 *
 * A plugin type derives from #ReevePlugin and implements one or more of #ReeveLlmCodec,
 * #ReeveLlmEngine, #ReeveTool, #ReeveStorage, #ReeveExtractor, #ReeveAuth. The host makes one
 * instance per configured use. Except where an interface says otherwise, functions block, may be
 * called from several threads at once and never on a main loop.
 *
 * Since: 1.0
 */
struct _ReevePluginClass
{
  GObjectClass parent_class;

  gboolean (*setup) (ReevePlugin *self, JsonObject *settings, ReeveContext *context,
                     GError **error);
  void (*shutdown) (ReevePlugin *self);
  /*< private >*/
  gpointer reserved[8];
};

REEVE_AVAILABLE_IN_1_0
gboolean reeve_plugin_setup (ReevePlugin *self, JsonObject *settings, ReeveContext *context,
                             GError **error);
REEVE_AVAILABLE_IN_1_0
void reeve_plugin_shutdown (ReevePlugin *self);

/**
 * REEVE_PLUGIN_MAGIC:
 *
 * First member of every descriptor: `RVPL`, read as a big-endian number.
 *
 * Since: 1.0
 */
#define REEVE_PLUGIN_MAGIC 0x5256504cu

/**
 * REEVE_PLUGIN_SYMBOL:
 *
 * Name of the descriptor, the one symbol that a module exports.
 *
 * Since: 1.0
 */
#define REEVE_PLUGIN_SYMBOL "reeve_plugin_descriptor"

/**
 * ReevePluginDescriptor:
 * @magic: %REEVE_PLUGIN_MAGIC
 * @struct_size: sizeof (ReevePluginDescriptor) when the plugin was built
 * @abi_major: %REEVE_API_MAJOR when the plugin was built
 * @abi_minor: minor number of the interface that the plugin was compiled against: %REEVE_API_MINOR,
 * or that of %REEVE_VERSION_MAX_ALLOWED where the plugin defines it
 * @id: equal to the manifest's
 * @version: equal to the manifest's
 * @query_types: returns the types on offer, ended by %G_TYPE_INVALID; called only after every check
 *
 * The one symbol a module exports, as data, so that it is compared before any function of the
 * plugin runs.
 *
 * Since: 1.0
 */
typedef struct
{
  guint32 magic;
  guint32 struct_size;
  guint16 abi_major;
  guint16 abi_minor;
  const char *id;
  const char *version;
  const GType *(*query_types) (void);
  /*< private >*/
  gpointer reserved[4];
} ReevePluginDescriptor;

/**
 * REEVE_DEFINE_PLUGIN:
 * @plugin_id: string
 * @plugin_version: string
 * @query_func: function that returns the types
 *
 * Exports the descriptor.
 *
 * Since: 1.0
 */
#define REEVE_DEFINE_PLUGIN(plugin_id, plugin_version, query_func)                                 \
  __attribute__ ((                                                                                 \
      visibility ("default"))) extern const ReevePluginDescriptor reeve_plugin_descriptor;         \
  const ReevePluginDescriptor reeve_plugin_descriptor = {                                          \
    .magic = REEVE_PLUGIN_MAGIC,                                                                   \
    .struct_size = sizeof (ReevePluginDescriptor),                                                 \
    .abi_major = REEVE_API_MAJOR,                                                                  \
    .abi_minor = REEVE_BUILD_MINOR,                                                                \
    .id = plugin_id,                                                                               \
    .version = plugin_version,                                                                     \
    .query_types = query_func,                                                                     \
  }

G_END_DECLS
