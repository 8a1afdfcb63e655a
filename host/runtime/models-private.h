/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What models.c and models-complete.c share. */
#pragma once

#include "model-provider.h"
#include "models.h"

G_BEGIN_DECLS

struct _ReeveModels
{
  GObject parent_instance;
  ReeveRegistry *registry;
  ReeveWorkers *workers;
  ReeveHttpTrust *trust;
  GPtrArray *providers; /* in configured order; fixed before the first call */
  char *configured_default;
  GPtrArray *fallbacks;          /* ReeveModelsFallback; fixed before the first call */
  ReeveTracer *tracer;           /* (nullable) */
  ReevePropagation *propagation; /* (nullable) */
  ReeveModelSignals *signals;    /* (nullable) */
  GMutex lock;                   /* guards clients */
  GHashTable *clients;           /* GMainContext -> ReeveHttpClient */
};

/* (transfer none) (nullable) who answers to @model; @name: (out) (transfer full): as he knows it */
ReeveModelProvider *reeve_models_route (ReeveModels *self, const char *model, char **name,
                                        GError **error);
/* May its plugin be called? Never blocks. */
gboolean reeve_models_check (ReeveModels *self, ReeveModelProvider *provider, GError **error);
gboolean reeve_models_has_provider (ReeveModels *self, const char *id);

/* models-fallback.c */
gboolean reeve_models_fallback_configure (ReeveModels *self, JsonArray *rows, char **faulty,
                                          GError **error);
/* Does a row name it? */
gboolean reeve_models_fallback_names (ReeveModels *self, const char *model);
void reeve_models_fallback_free (gpointer data);
/* (transfer none) of the calling thread's main context */
ReeveUpstream *reeve_models_get_client (ReeveModels *self, GError **error);

G_END_DECLS
