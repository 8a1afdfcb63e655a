/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cli-host.c (choice), cli-host-rest.c and cli-host-bus.c share. */
#pragma once

#include <libsoup/soup.h>

#include "cli-host.h"

G_BEGIN_DECLS

struct _ReeveCliHost
{
  char *url; /* REST; NULL for D-Bus */
  char *token;
  char *tenant;
  char *ca; /* (nullable): file of the authorities to trust; the system's */
  SoupSession *session;
  GDBusConnection *connection;
  char *name; /* for people */
};

ReeveCliAnswer *reeve_cli_host_new_answer (int exit, char *body, char *detail);
ReeveCliAnswer *reeve_cli_host_call_rest (ReeveCliHost *self, const ReeveCliCommand *command,
                                          JsonObject *params, ReeveCliEventFunc events,
                                          gpointer user_data);
ReeveCliAnswer *reeve_cli_host_call_bus (ReeveCliHost *self, const ReeveCliCommand *command,
                                         JsonObject *params, ReeveCliEventFunc events,
                                         gpointer user_data);
/* FALSE when no host is on that bus */
gboolean reeve_cli_host_connect_bus (ReeveCliHost *self, GBusType bus, GError **error);

G_END_DECLS
