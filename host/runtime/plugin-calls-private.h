/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of ReevePluginCalls share: plugin-calls.c (life, thread, one question),
 * plugin-calls-job.c (what the thread does), plugin-calls-claim.c (what the grants say),
 * plugin-calls-model.c and plugin-calls-tool.c. */
#pragma once

#include "governance/delegation.h"
#include "plugin-calls.h"
#include "plugin-tokens.h"

G_BEGIN_DECLS

struct _ReevePluginCalls
{
  ReeveStore *store;
  ReeveAdmission *admission;
  ReeveModels *models;
  ReeveTools *tools; /* (nullable): until there are any */
  gint64 tool_seconds;
  GCancellable *stopping;
  GMainContext *context; /* of the thread */
  GMutex lock;           /* what follows */
  GCond changed;
  GThread *thread; /* (nullable): until it is needed */
  guint asks;      /* of plugins, that are under way */
  guint jobs;      /* of the thread */
  gboolean closed;
};

/* One question of a plugin, on the thread that it asks on. */
typedef struct
{
  ReevePluginCalls *calls;
  const ReeveCapabilityCaller *caller;
  const char *capability;
  JsonObject *params;
  ReeveDelegation *above; /* the call in which it asks */
  GCancellable *cancellable;
  ReeveContextInfo info;
  ReeveAdmissionRequest admission;
  ReevePluginTokens tokens;
  gint64 held;    /* tokens of the execution, until it is settled */
  char *next;     /* (nullable): model.call: who is asked in the place of the one that failed */
  guint64 failed; /* the same: the intent of that one */
} ReevePluginAsk;

/* What the grants give a call. */
typedef struct
{
  guint left; /* how many may hang below one another below it */
  ReeveDelegationBound bounds[REEVE_DELEGATION_BOUNDS]; /* of tokens */
} ReevePluginClaim;

/* Does a list of a grant allow it? */
typedef gboolean (*ReevePluginAllows) (const ReeveCapabilityTerms *terms, gpointer data);

/* Finds a grant that allows it, with depth left, and as many tokens as can be had: the call rests
 * on that. @what, for errors: "tool x". %REEVE_ERROR_PERMISSION_DENIED */
gboolean reeve_plugin_calls_claim (ReevePluginAsk *ask, const char *what, ReevePluginAllows allows,
                                   gpointer data, ReevePluginClaim *claim, GError **error);

void reeve_plugin_calls_claim_clear (ReevePluginClaim *self);

/* A part of it that is performed on the thread, while whoever asks waits. */
typedef struct _ReevePluginJob ReevePluginJob;
struct _ReevePluginJob
{
  ReevePluginAsk *ask;
  void (*begin) (ReevePluginJob *self); /* on the thread; reeve_plugin_calls_job_done() once */
  ReeveAdmitted *admitted;
  GError *error;
  gboolean done; /* with the lock */
};

/* The thread. */
gpointer reeve_plugin_calls_work (gpointer calls);
/* %REEVE_ERROR_CANCELLED: the host ends */
gboolean reeve_plugin_calls_job_run (ReevePluginJob *self, GError **error);
void reeve_plugin_calls_job_done (ReevePluginJob *self);
/* Takes the question through the gate, for reeve_plugin_calls_job_run() */
void reeve_plugin_calls_job_admit (ReevePluginJob *self);
/* (nullable) a refusal that the gate has not seen is recorded, and is the answer */
JsonNode *reeve_plugin_calls_refuse (ReevePluginAsk *ask, GError *reason, GError **error);
/* (transfer full) */
JsonNode *reeve_plugin_calls_answer (JsonObject *answer);

/* plugin-calls-model.c and plugin-calls-tool.c */
JsonNode *reeve_plugin_calls_ask_model (ReevePluginAsk *ask, GError **error);
JsonNode *reeve_plugin_calls_ask_tool (ReevePluginAsk *ask, GError **error);

G_END_DECLS
