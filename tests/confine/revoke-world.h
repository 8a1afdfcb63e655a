/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host without doors whose plugins run in processes of their own and have only what is granted to
 * them: the real grants, the real providers of capabilities, real sockets. */
#pragma once

#include "governance/grants.h"
#include "governance/plugin-secrets.h"
#include "loader/confined.h"
#include "runtime/net-http.h"
#include "runtime/net-tcp.h"
#include "runtime/plugin-calls.h"
#include "runtime/plugin-files.h"
#include "runtime/plugin-scratch.h"
#include "runtime/plugin-telling.h"
#include "runtime/tools.h"

#include "directory-fixture.h"
#include "hostile-server.h"

G_BEGIN_DECLS

#define REVOKE_ASKER   "asker"     /* HTTP, and what is attached to it */
#define REVOKE_PROBE   "probe-one" /* all else that is a call */
#define REVOKE_OTHER   "probe-two" /* is called by it */
#define REVOKE_EATER   "hungry"    /* takes much of the machine */
#define REVOKE_HOARD   "hoarder-one"
#define REVOKE_PLUGINS 5

typedef struct
{
  DirectoryFixture directory;
  char *user_id;
  char *root;  /* plugins, and what is theirs */
  char *files; /* below it: a folder to be granted */
  char *digests[REVOKE_PLUGINS][2];
  ReevePin pins[REVOKE_PLUGINS + 1];
  ReeveCapabilities *capabilities;
  ReeveConfined *confined;
  ReeveRegistry *registry;
  ReeveGrants *grants;
  ReeveTools *tools;
  ReeveModels *models;
  ReeveHttpTrust *trust;
  ReeveNetHttp *http;
  ReeveNetTcp *tcp;
  ReevePluginFiles *plugin_files;
  ReevePluginScratch *scratch;
  ReevePluginSecrets *secrets;
  ReevePluginCalls *calls;
  ReevePluginTelling *telling;
  ReeveCaller *admin;
  ReeveCaller *user;     /* who calls */
  HostileServer *server; /* answers */
  GSocket *gate;         /* listens; whoever comes is the test's to talk to */
  guint16 port;          /* of the gate */
} RevokeWorld;

void revoke_world_set_up (RevokeWorld *self, gconstpointer data);
void revoke_world_tear_down (RevokeWorld *self, gconstpointer data);
/* (transfer full): @text, in which GATE is the gate's port, HTTP the server's and FOLDER the folder
 */
char *revoke_world_fill (RevokeWorld *self, const char *text);
/* @parameters: JSON, filled; (nullable): none. (transfer full): the grant's id */
char *revoke_world_grant (RevokeWorld *self, const char *plugin_id, const char *capability,
                          const char *parameters);
void revoke_world_revoke (RevokeWorld *self, const char *plugin_id, const char *grant_id);
/* A call of a tool as a run makes it, with all that the gate has to say. @arguments: JSON, filled.
 * Blocks. (transfer full): what the tool said */
char *revoke_world_call (RevokeWorld *self, const char *tool, const char *arguments);
/* (transfer full): whoever connects to the gate next, within a minute */
GSocket *revoke_world_accept (RevokeWorld *self);

G_END_DECLS
