/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The runner's side of the wire: makes instances of the module's types, and lets workers call them.
 */
#pragma once

#include <reeve-plugin-1.h>

#include "wire/wire-letter.h"

#include "runner-plan.h"

G_BEGIN_DECLS

#define RUNNER_SERVE_MAX_SPENT 4

/* What a call is through with, to be freed when its reply is on its way: nobody waits for that. */
typedef struct
{
  struct
  {
    gpointer data;
    GDestroyNotify destroy;
  } all[RUNNER_SERVE_MAX_SPENT];
  guint count;
} RunnerServeSpent;

/* One call, on the worker that performs it. */
typedef struct
{
  WireLetter *message; /* right by the XML */
  const char *member;
  WireReader arguments;  /* behind number and context; read by whoever needs no @body */
  GVariant *body;        /* (nullable): of an interface that reads no @arguments */
  ReevePlugin *instance; /* (nullable): of Runner's methods */
  ReeveContext *context;
  ReeveBroker *broker; /* of @context */
  RunnerServeSpent *spent;
} RunnerServeCall;

/* (transfer floating) (nullable): the reply's body */
typedef GVariant *(*RunnerServeFunc) (const RunnerServeCall *call, GError **error);

/* @data: (transfer full): freed by @destroy when the call's reply is on its way; at once where
 * there is no room for it any more */
void runner_serve_spend (const RunnerServeCall *call, gpointer data, GDestroyNotify destroy);

/* Of arguments that are not what the call's signature says. */
void runner_serve_fail_form (GError **error);

/* Serves until the host closes the control socket. FALSE: it could not even begin. */
gboolean runner_serve_wire (const RunnerPlan *plan, const ReevePluginDescriptor *descriptor);

G_END_DECLS
