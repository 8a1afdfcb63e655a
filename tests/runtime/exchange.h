/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client on a context of its own, and exchanges that record what its callbacks told: for tests of
 * the client. */
#pragma once

#include "base/log.h"
#include "runtime/http-client.h"
#include "hostile-server.h"

G_BEGIN_DECLS

typedef struct
{
  GMainContext *context;
  ReeveHttpTrust *trust;
  ReeveHttpClient *client;
  ReeveUpstreamOptions options;
} Fixture;

typedef struct
{
  Fixture *fixture;
  ReeveUpstreamCall *call;
  GString *body;
  guint status;
  char *type;
  gboolean done;
  GError *error;
  ReeveUpstreamProgress progress;
  gboolean cancel_on_head;
  gboolean cancel_on_data;
  gboolean pause_on_head;
  gboolean drop_on_done; /* of the client */
  char *run;             /* (nullable): of the log, when it began: all is told within that */
} Exchange;

void fixture_setup (Fixture *self, gconstpointer data);
void fixture_teardown (Fixture *self, gconstpointer data);
HostileServer *serve (const HostileStep *const *scripts, guint n);
ReeveHttpRequest *make_request (HostileServer *server, const char *method, const char *body);
Exchange *begin (Fixture *fixture, ReeveHttpRequest *request);
void finish (Exchange *self);
Exchange *post (Fixture *fixture, HostileServer *server);
void exchange_free (Exchange *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Exchange, exchange_free)

G_END_DECLS
