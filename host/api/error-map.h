/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one table from an error code to what each door says. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct
{
  guint status;     /* HTTP */
  const char *slug; /* last part of the problem's type */
  const char *title;
  const char *dbus;   /* io.reeve.Error.… */
  const char *openai; /* `type` of OpenAI's envelope */
  int exit;           /* reevectl */
} ReeveErrorMap;

#define REEVE_ERROR_MAP_TYPE_PREFIX "https://reeve.io/problems/"

/* Never NULL; foreign domains map to failed. */
const ReeveErrorMap *reeve_error_map_lookup (const GError *error);
const ReeveErrorMap *reeve_error_map_get (ReeveError code);
int reeve_error_map_exit_of_status (guint status);
int reeve_error_map_exit_of_name (const char *name);

G_END_DECLS
