/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveModelProvider: one configured model service: a plugin's instance, and what the host holds
 * for it and keeps from it: key, trusted authorities, deadlines. Immutable once made. */
#pragma once

#include <reeve-plugin-1.h>

#include "upstream.h"

G_BEGIN_DECLS

typedef struct
{
  gatomicrefcount refs;
  char *id;
  char *system;    /* (nullable): whose protocol it speaks: openai, … */
  char *plugin_id; /* (nullable): of no registry */
  ReevePlugin *plugin;
  ReeveLlmCodec *codec;   /* (nullable): the plugin, when it is a codec */
  ReeveLlmEngine *engine; /* (nullable): the plugin, when it is an engine */
  char *origin;           /* scheme://host:port that an administrator granted */
  char *door;             /* (nullable): how base_url begins, up to its path */
  char *server_address;   /* (nullable): its host */
  char *server_port;      /* (nullable): its port, as digits */
  char *key_header;
  char *key_value; /* (nullable): with its scheme */
  char *key;       /* the secret alone; NULL when there is none */
  char *model;     /* (nullable): used when a request names none */
  char **models;   /* names that are shown */
  double temperature;
  guint max_tokens;
  guint retries;
  ReeveUpstreamOptions options; /* timeouts and trust */
} ReeveModelProvider;

ReeveModelProvider *reeve_model_provider_new (const char *id, ReevePlugin *plugin,
                                              JsonObject *settings, GError **error);
ReeveModelProvider *reeve_model_provider_ref (ReeveModelProvider *self);
void reeve_model_provider_unref (ReeveModelProvider *self);
JsonObject *reeve_model_provider_strip (JsonObject *settings);
gboolean reeve_model_provider_authorize (ReeveModelProvider *self, ReeveHttpRequest *request,
                                         GError **error);

void reeve_model_provider_scrub (ReeveModelProvider *self, GError *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveModelProvider, reeve_model_provider_unref)

G_END_DECLS
