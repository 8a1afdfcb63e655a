/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A model router with the real OpenAI codec, a scripted server, and a fake engine; admissions that
 * are counted. */
#pragma once

#include "governance/caller.h"
#include "runtime/models.h"
#include "hostile-server.h"

G_BEGIN_DECLS

typedef struct
{
  GMainContext *context;
  ReeveWorkers *workers;
  ReeveModels *models;
  GPtrArray *plugins;
  HostileServer *server;
  const HostileStep *scripts[1];
  guint served;
  /* of the next call */
  ReeveLlmTask task;
  GBytes *raw;
  gboolean stream;
  gint64 deadline;
  GCancellable *cancellable;
  gboolean stop;
  ReeveCaller *caller; /* (nullable): who asks */
  gboolean prepare;    /* before it is admitted */
  guint lowered;       /* tokens, after that; 0: not */
  /* what came of it */
  guint consumed;
  GString *log;
  GAsyncResult *result;
  GError *error;
} World;

void world_setup (World *self, gconstpointer data);
void world_teardown (World *self, gconstpointer data);
void world_reset (World *self);
/* makes "local", a provider of models gpt (its default) and m1, over a server with that script */
void world_serve (World *self, const HostileStep *script);
void world_add_engine (World *self, const char *id);
/* a codec that sends to the server of "local", whatever base_url was granted to it */
void world_add_codec (World *self, const char *id, const char *base_url);
gboolean world_try_add (World *self, const char *id, JsonObject *settings, GError **error);
void world_begin (World *self, const char *model);
ReeveModelResponse *world_finish (World *self);
ReeveModelResponse *world_ask (World *self, const char *model);

G_END_DECLS
