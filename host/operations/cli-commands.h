/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of reevectl that are operations. */
#pragma once

#include <glib/gi18n.h>

#include "operation.h"

G_BEGIN_DECLS

typedef struct
{
  const char *noun;
  const char *verb; /* "" where the noun alone is the command */
  const char *operation;
  const char *summary; /* to be translated */
  const char *example;
  /* parameters that stand without an option, in order; a tenant_id that is none of them is the
   * tenant to act in */
  const char *const *arguments;
  const char *const *columns; /* members shown in a table */
  const char *method;
  const char *path;
  /* types of all places here: s string, i integer, n number, b boolean, l list of strings, j any
   * other JSON */
  const ReeveParameter *parameters;
  gboolean takes_body;
  gboolean multipart;
  const char *generate; /* parameter that gets a fresh id unless it is given; NULL */
} ReeveCliCommand;

/* Ordered by noun and verb, ended by a NULL noun (generated). */
extern const ReeveCliCommand reeve_cli_commands[];

G_END_DECLS
