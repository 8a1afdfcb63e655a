/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePluginEntries: one call of a capability under which a plugin keeps entries by keys of its
 * own, apart for each plugin and each tenant: what `store.kv` and `store.blob` have in common. */
#pragma once

#include "loader/capabilities.h"
#include "store/store.h"

G_BEGIN_DECLS

#define REEVE_PLUGIN_ENTRIES_KEY  256 /* bytes of a key */
#define REEVE_PLUGIN_ENTRIES_PAGE 100 /* keys of one answer */
#define REEVE_PLUGIN_ENTRIES_BASE 64  /* bytes that each entry counts besides what is in it */

typedef struct _ReevePluginEntries ReevePluginEntries;

/* What is kept. Functions are pure. */
typedef struct
{
  const char *capability;
  const char *collection;
  const char *counter; /* last word of its name */
  gint64 usual;        /* bytes that a grant is for which does not say */
  /* bytes that an entry counts, besides its key and REEVE_PLUGIN_ENTRIES_BASE */
  gint64 (*measure) (JsonObject *fields);
  /* (nullable): what else a list says of it */
  void (*show) (JsonObject *fields, JsonObject *entry);
  /* (nullable): what is changed with the record; (nullable) @before and @after */
  void (*stage) (ReevePluginEntries *self, ReeveBatch *batch, JsonObject *before,
                 JsonObject *after);
} ReevePluginEntriesKind;

struct _ReevePluginEntries
{
  const ReevePluginEntriesKind *kind;
  ReeveStore *store;
  const ReeveCapabilityCaller *caller;
  JsonObject *params;
  const char *tenant_id;
  const char *key; /* (nullable) */
  char *id;        /* of its record */
  char *counter;
};

typedef JsonNode *(*ReevePluginEntriesFunc) (ReevePluginEntries *self, GError **error);

typedef struct
{
  const char *name; /* %NULL: the last */
  gboolean keyed;
  ReevePluginEntriesFunc func;
} ReevePluginEntriesOp;

/* What came of a change. */
typedef struct
{
  gint64 revision; /* 0: there is none now */
  gint64 used;     /* bytes, by all entries */
  gint64 limit;
  gboolean was; /* there was one */
} ReevePluginEntriesChanged;

/* Performs what `op` of @params says; one of @self with kind, store, caller and params. @words: of
 * all operations, for an error. */
JsonNode *reeve_plugin_entries_run (ReevePluginEntries *self, const ReevePluginEntriesOp *ops,
                                    const char *words, GError **error);
/* `list`: {prefix, limit, cursor} -> {entries: [{key, revision, bytes, …}], cursor} */
JsonNode *reeve_plugin_entries_list (ReevePluginEntries *self, GError **error);
/* `delete`: {key, revision} -> {deleted} */
JsonNode *reeve_plugin_entries_delete (ReevePluginEntries *self, GError **error);
/* (transfer full) (nullable): what stands under the key; %NULL without an error: nothing */
ReeveRecord *reeve_plugin_entries_find (ReevePluginEntries *self, GError **error);
/* Puts @fields there, if `revision` of the parameters is what it says; (nullable): removes it. */
gboolean reeve_plugin_entries_change (ReevePluginEntries *self, JsonObject *fields,
                                      ReevePluginEntriesChanged *changed, GError **error);
/* (transfer full): {revision, used, limit} */
JsonNode *reeve_plugin_entries_show_change (const ReevePluginEntriesChanged *changed);
/* (transfer full): @answer as a node */
JsonNode *reeve_plugin_entries_answer (JsonObject *answer);
/* %NULL, with %REEVE_ERROR_INVALID_ARGUMENT about @member of the parameters */
gpointer reeve_plugin_entries_refuse (ReevePluginEntries *self, const char *member, const char *why,
                                      GError **error);

G_END_DECLS
