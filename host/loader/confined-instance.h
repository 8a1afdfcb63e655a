/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveConfinedInstance: an instance of a plugin that runs in a process of its own, for whoever
 * calls plugins: the same interfaces, whichever process it is at the time. */
#pragma once

#include "keeper.h"

G_BEGIN_DECLS

#define REEVE_TYPE_CONFINED_INSTANCE (reeve_confined_instance_get_type ())
G_DECLARE_DERIVABLE_TYPE (ReeveConfinedInstance, reeve_confined_instance, REEVE, CONFINED_INSTANCE,
                          ReevePlugin)

struct _ReeveConfinedInstanceClass
{
  ReevePluginClass parent_class;
};

/* What one call of an instance is, wherever that runs. */
typedef struct
{
  gboolean (*func) (ReevePlugin *plugin, gpointer data, GError **error);
  /* (transfer full) (nullable): digest of what the plugin gets; NULL: never refused for it */
  char *(*digest) (gpointer data);
  gpointer data;
  gboolean again;       /* one that a crash ended is made once more */
  const gboolean *said; /* (nullable): but not where this is TRUE by then */
} ReeveConfinedCall;

/* Which interface @iface or, where that is REEVE_TYPE_PLUGIN, the manifest stands for; 0: none that
 * a process of its own can have. */
ReeveWireKinds reeve_confined_instance_find_kind (ReeveManifest *manifest, GType iface);
/* (transfer full): not started, but for what only its code knows. @settings: canonical JSON. */
ReevePlugin *reeve_confined_instance_new (ReeveKeeper *keeper, ReeveWireKinds kind,
                                          const char *settings, ReeveBroker *broker);
/* Asks the plugin for what its manifest does not say, and for what it says to its settings: with
 * neither nothing is started. Blocks. */
gboolean reeve_confined_instance_prepare (ReeveConfinedInstance *self, GError **error);
/* (transfer full) (nullable): that instance, set up in a process that gets no calls as yet.
 * @settings: canonical JSON; @context: (nullable): of the call it is for. Blocks. */
ReevePlugin *reeve_confined_instance_raise (ReeveConfinedInstance *self, ReeveTerm *term,
                                            const char *settings, ReeveBroker *broker,
                                            ReeveContext *context,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* From now on it is set up with these in each new process. */
void reeve_confined_instance_adopt (ReeveConfinedInstance *self, const char *settings,
                                    ReeveBroker *broker);
/* Makes one call. Blocks. */
gboolean reeve_confined_instance_perform (ReeveConfinedInstance *self, ReeveContext *context,
                                          const ReeveConfinedCall *call, GError **error);
/* (transfer full) */
ReeveManifest *reeve_confined_instance_get_manifest (ReeveConfinedInstance *self);
/* Has it no settings? Then the manifest speaks for it. */
gboolean reeve_confined_instance_is_plain (ReeveConfinedInstance *self);
const char *const *reeve_confined_instance_get_media_types (ReeveConfinedInstance *self);

/* Fill in the functions of an interface (confined-kinds.c). */
void reeve_confined_kinds_init_tool (gpointer iface, gpointer data);
void reeve_confined_kinds_init_sink (gpointer iface, gpointer data);
void reeve_confined_kinds_init_extractor (gpointer iface, gpointer data);
void reeve_confined_kinds_init_engine (gpointer iface, gpointer data);
/* (transfer full) (nullable): @request as it goes over the wire; %NULL where @engine is none that
 * runs in a process of its own. Asks nobody. */
GBytes *reeve_confined_kinds_write_request (ReeveLlmEngine *engine, ReeveLlmRequest *request);
/* reeve_llm_engine_generate() with what was written of @request. Blocks. */
gboolean reeve_confined_kinds_generate_text (ReeveLlmEngine *engine, ReeveLlmRequest *request,
                                             GBytes *text, ReeveContext *context,
                                             ReeveLlmDeltaFunc func, gpointer user_data,
                                             GError **error);

G_END_DECLS
