/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCliHost: the way to a host: REST or D-Bus. Blocks; this is a program of one thread. */
#pragma once

#include <gio/gio.h>
#include <reeve-json.h>

#include "cli-options.h"
#include "operations/cli-commands.h"

G_BEGIN_DECLS

typedef struct _ReeveCliHost ReeveCliHost;

/* What a host answered. */
typedef struct
{
  int exit;     /* one of REEVE_CLI_… */
  char *body;   /* text as it came; never NULL */
  char *detail; /* what is wrong, for people; NULL when all is well */
} ReeveCliAnswer;

/* name of an event and its data as JSON text */
typedef void (*ReeveCliEventFunc) (const char *event, const char *data, gpointer user_data);

/* By the options, else REEVE_URL, REEVE_CA and REEVE_TOKEN, else the session bus, else
 * <state>/address and <state>/admin.key. %REEVE_ERROR_UNAVAILABLE when there is no host. */
ReeveCliHost *reeve_cli_host_new (ReeveCliOptions *options, GError **error);
void reeve_cli_host_free (ReeveCliHost *self);
/* params: all members of the operation. events: (nullable) receives a stream as it comes. */
ReeveCliAnswer *reeve_cli_host_call (ReeveCliHost *self, const ReeveCliCommand *command,
                                     JsonObject *params, ReeveCliEventFunc events,
                                     gpointer user_data);
/* Writes what is answered to @output as it comes; the answer's body is empty then. */
ReeveCliAnswer *reeve_cli_host_download (ReeveCliHost *self, const ReeveCliCommand *command,
                                         JsonObject *params, GOutputStream *output);
/* documents upload: @path goes as multipart part `file`, the rest as further parts; REST only */
ReeveCliAnswer *reeve_cli_host_upload (ReeveCliHost *self, const ReeveCliCommand *command,
                                       const char *path, JsonObject *params);
/* (transfer full) where the state of a local host lies */
char *reeve_cli_host_get_state_dir (ReeveCliOptions *options);
const char *reeve_cli_host_describe (ReeveCliHost *self);
void reeve_cli_answer_free (ReeveCliAnswer *answer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCliHost, reeve_cli_host_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCliAnswer, reeve_cli_answer_free)

G_END_DECLS
