/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From scalars of YAML to values: variables, types, units; and where each value came from. */
#pragma once

#include "config-yaml.h"
#include "json-schema.h"

G_BEGIN_DECLS

/* where a value came from */
typedef struct
{
  char *text;      /* "default", "profile dev", "reeve.yaml:12", "command line" */
  char *variable;  /* environment variable in it, or NULL */
  char *shown;     /* what to print instead of the value: "env:NAME", or NULL */
  gboolean chosen; /* by a person: not a default, not a profile */
} ReeveConfigOrigin;

/* One source that is being turned into values. */
typedef struct
{
  const char *label;   /* "profile dev", or the file's name */
  gboolean with_lines; /* whether lines mean something to people */
  gboolean chosen;
  gboolean literal; /* nothing in it is expanded */
  const char *const *environment;
  GHashTable *origins; /* JSON pointer -> ReeveConfigOrigin */
} ReeveConfigSource;

ReeveConfigOrigin *reeve_config_values_origin_new (const char *text, gboolean chosen);
void reeve_config_values_origin_free (ReeveConfigOrigin *origin);

/* schema: of the value (nullable: anything). Adds to origins. */
JsonNode *reeve_config_values_convert (const ReeveConfigSource *source, ReeveConfigNode *node,
                                       const ReeveSchemaNode *schema, const char *pointer,
                                       GError **error);
/* 10MiB, 5m: FALSE when text is none of unit */
gboolean reeve_config_values_parse_unit (const char *unit, const char *text, gint64 *value);
/* schema of member name of an object with that schema; NULL when it is free */
const ReeveSchemaNode *reeve_config_values_member_schema (const ReeveSchemaNode *schema,
                                                          const char *name);
/* /llm/providers/0/id -> llm.providers[0].id */
char *reeve_config_values_key (const char *pointer);
/* where llm.providers.0.id came from, its key, and what is wrong with it */
char *reeve_config_values_blame (GHashTable *origins, const char *path, const char *message);
char *reeve_config_values_join (const char *pointer, const char *name);

G_END_DECLS
