/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveModels: routes a model name to a provider and performs the call, asynchronously on the
 * caller's context. */
#pragma once

#include <reeve-plugin-1.h>

#include "base/workers.h"
#include "loader/registry.h"
#include "governance/delegation.h"
#include "http-trust.h"
#include "propagation.h"

G_BEGIN_DECLS

#define REEVE_TYPE_MODELS (reeve_models_get_type ())
G_DECLARE_FINAL_TYPE (ReeveModels, reeve_models, REEVE, MODELS, GObject)

/* registry: for configure() and for the contexts of plugins; nullable where neither is needed */
ReeveModels *reeve_models_new (ReeveRegistry *registry, ReeveWorkers *workers);
/* Makes the providers of configuration section `llm` ({default, providers[{id, plugin,
 * settings}], fallbacks[{model, models[]}]}). Blocks; once, at start. REEVE_ERROR_CONFIGURATION
 * names the provider. */
gboolean reeve_models_configure (ReeveModels *self, JsonObject *llm, char **faulty, GError **error);
/* Adds one provider with an instance that is set up; before the first call. */
gboolean reeve_models_add (ReeveModels *self, const char *id, ReevePlugin *plugin,
                           JsonObject *settings, GError **error);
/* Before the first call: (nullable) both outlive it. Who records calls, and which services are told
 * of the trace that they belong to. */
void reeve_models_set_tracing (ReeveModels *self, ReeveTracer *tracer,
                               ReevePropagation *propagation);
/* Before the first call: (nullable) outlives it. Where calls are counted, model-signals.h. */
typedef struct _ReeveModelSignals ReeveModelSignals;
void reeve_models_set_signals (ReeveModels *self, ReeveModelSignals *signals);
/* (transfer none) trusted certificates, for who else speaks TLS */
ReeveHttpTrust *reeve_models_get_trust (ReeveModels *self);
/* To be called on a thread before its main context goes: ends its calls with REEVE_ERROR_CANCELLED,
 * closes its connections. */
void reeve_models_leave (ReeveModels *self);

/* What came back; counts are -1 when the service did not say. */
typedef struct
{
  char *provider;
  char *model;
  char *content;         /* never NULL */
  char *thought;         /* never NULL */
  JsonArray *tool_calls; /* OpenAI's shape: {id, type: "function", function: {name, arguments}};
                            NULL when none */
  char *finish_reason;
  gint64 input_tokens;
  gint64 output_tokens;
  gint64 cached_tokens;
  gint64 reasoning_tokens;
  GBytes *raw; /* the whole upstream answer in OpenAI's shape, when the codec handed it over; else
                  NULL */
  GPtrArray *embeddings; /* GArray of float each; NULL for chat */
} ReeveModelResponse;

void reeve_model_response_free (ReeveModelResponse *self);
/* (transfer full): the output digest of records, of all that came */
char *reeve_model_response_digest (const ReeveModelResponse *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveModelResponse, reeve_model_response_free)

/* Consumes @admitted (operation "model.call") at the moment the request leaves; the caller settles
 * it. @func (nullable) gets each delta in the caller's context. Answers in the caller's
 * thread-default context; never blocks. An error of code REEVE_ERROR_UNKNOWN_OUTCOME means that the
 * service may have done (and billed) the work. */
void reeve_models_complete_async (ReeveModels *self, ReeveAdmitted *admitted,
                                  ReeveLlmRequest *request, const ReeveContextInfo *info,
                                  ReeveLlmDeltaFunc func, gpointer func_data,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data);
/* A call as far as it can be made before it is admitted: nothing of it has left. */
typedef struct _ReeveModelPrepared ReeveModelPrepared;
ReeveModelPrepared *reeve_models_prepare (ReeveModels *self, ReeveLlmRequest *request);
void reeve_model_prepared_free (ReeveModelPrepared *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveModelPrepared, reeve_model_prepared_free)
/* The same with what was prepared: (transfer full) (nullable), of the calling thread. */
void reeve_models_complete_prepared_async (ReeveModels *self, ReeveAdmitted *admitted,
                                           ReeveModelPrepared *prepared, ReeveLlmRequest *request,
                                           const ReeveContextInfo *info, ReeveLlmDeltaFunc func,
                                           gpointer func_data, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
/* The same for a plugin that asks for it, as @below. An engine has a thread of its own then:
 * whoever waits for it holds one of those that others share. */
void reeve_models_complete_below_async (ReeveModels *self, ReeveAdmitted *admitted,
                                        ReeveDelegation *below, ReeveLlmRequest *request,
                                        const ReeveContextInfo *info, ReeveLlmDeltaFunc func,
                                        gpointer func_data, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
ReeveModelResponse *reeve_models_complete_finish (ReeveModels *self, GAsyncResult *result,
                                                  GError **error);

/* (transfer full) (nullable) who is asked in the place of @failed, "provider/name", by
 * configuration section `llm.fallbacks`, when @first was wanted. NULL where nobody is, or where
 * @failed may have answered. */
char *reeve_models_dup_next (ReeveModels *self, GAsyncResult *result, const char *first,
                             const char *failed);
/* The same where @failed was not asked at all, since it may not be. */
char *reeve_models_dup_behind (ReeveModels *self, const char *first, const char *failed);
/* (transfer full) (nullable) SHA-256, hexadecimal, of the words that came of an answer before the
 * call failed whose result this is; NULL: none did. */
char *reeve_models_dup_given (GAsyncResult *result);
/* (transfer full): ids of providers whose models this machine computes: engines that request
 * nothing of the network, and no other model. */
char **reeve_models_list_embedded (ReeveModels *self);
/* (transfer full) the same question, for another model. */
ReeveLlmRequest *reeve_models_readdress (ReeveLlmRequest *request, const char *model,
                                         guint max_tokens);

/* "provider/model" or a plain name for the default provider. FALSE when nothing answers to it. Any
 * thread, no I/O. */
/* How many bytes of "provider/name" are known here: all, where it is configured; those of the
 * provider with the slash; or none. Any thread; no I/O. */
gsize reeve_models_measure (ReeveModels *self, const char *model);
gboolean reeve_models_resolve (ReeveModels *self, const char *model, char **provider, char **name,
                               GError **error);
/* (transfer full) name used when an agent names none: llm.default, else the first provider */
char *reeve_models_get_default (ReeveModels *self);
/* (transfer full) configured providers and models: [{id, provider, kind, default}] */
JsonArray *reeve_models_list (ReeveModels *self);

G_END_DECLS
