/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Schema, draft 2020-12: the compiled form, which a generator may emit as constant data, and
 * the validator. */
#pragma once

#include <reeve-json.h>

G_BEGIN_DECLS

/* ---- compiled form: plain data, all arrays end with NULL or a NULL name; zero means "not given"
 * ---- */

typedef struct _ReeveSchemaNode ReeveSchemaNode;

typedef enum
{
  REEVE_SCHEMA_TYPE_NULL = 1 << 0,
  REEVE_SCHEMA_TYPE_BOOLEAN = 1 << 1,
  REEVE_SCHEMA_TYPE_INTEGER = 1 << 2,
  REEVE_SCHEMA_TYPE_NUMBER = 1 << 3,
  REEVE_SCHEMA_TYPE_STRING = 1 << 4,
  REEVE_SCHEMA_TYPE_ARRAY = 1 << 5,
  REEVE_SCHEMA_TYPE_OBJECT = 1 << 6
} ReeveSchemaTypes;

typedef enum
{
  REEVE_SCHEMA_FORMAT_NONE,
  REEVE_SCHEMA_FORMAT_DATE_TIME,
  REEVE_SCHEMA_FORMAT_DATE,
  REEVE_SCHEMA_FORMAT_TIME,
  REEVE_SCHEMA_FORMAT_URI,
  REEVE_SCHEMA_FORMAT_UUID,
  REEVE_SCHEMA_FORMAT_EMAIL,
  REEVE_SCHEMA_FORMAT_HOSTNAME,
  REEVE_SCHEMA_FORMAT_IPV4,
  REEVE_SCHEMA_FORMAT_IPV6
} ReeveSchemaFormat;

typedef struct
{
  gboolean given;
  gboolean whole; /* integer counts, else real */
  gint64 integer;
  double real;
} ReeveSchemaNumber;

/* a bound of a length or a number of things */
typedef struct
{
  gboolean given;
  guint64 value;
} ReeveSchemaCount;

typedef struct
{
  const char *name;
  const ReeveSchemaNode *node;
} ReeveSchemaMember;

typedef struct
{
  const char *name;
  const char *const *required;
} ReeveSchemaDependency;

typedef struct
{
  ReeveSchemaNumber minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;
} ReeveSchemaNumeric;

typedef struct
{
  ReeveSchemaCount min_length, max_length;
  const char *pattern;
  ReeveSchemaFormat format;
} ReeveSchemaString;

typedef struct
{
  const ReeveSchemaNode *items;
  const ReeveSchemaNode *const *prefix_items;
  const ReeveSchemaNode *contains;
  const ReeveSchemaNode *unevaluated_items;
  ReeveSchemaCount min_items, max_items, min_contains, max_contains;
  gboolean unique_items;
} ReeveSchemaArray;

typedef struct
{
  const ReeveSchemaMember *properties; /* ordered by strcmp() */
  guint n_properties;
  const char *const *required;
  const ReeveSchemaNode *additional_properties;
  const ReeveSchemaMember *pattern_properties;
  const ReeveSchemaNode *property_names;
  const ReeveSchemaNode *unevaluated_properties;
  const ReeveSchemaDependency *dependent_required;
  const ReeveSchemaMember *dependent_schemas;
  ReeveSchemaCount min_properties, max_properties;
} ReeveSchemaObject;

typedef struct
{
  const ReeveSchemaNode *const *all_of;
  const ReeveSchemaNode *const *any_of;
  const ReeveSchemaNode *const *one_of;
  const ReeveSchemaNode *negated;                               /* not */
  const ReeveSchemaNode *condition, *consequence, *alternative; /* if, then, else */
} ReeveSchemaLogic;

struct _ReeveSchemaNode
{
  gboolean never;                 /* the schema "false" */
  guint types;                    /* ReeveSchemaTypes; 0: any */
  const ReeveSchemaNode *ref;     /* $ref */
  const char *constant;           /* const, as canonical JSON */
  const char *const *enumeration; /* enum, each as canonical JSON */
  const ReeveSchemaNumeric *numeric;
  const ReeveSchemaString *string;
  const ReeveSchemaArray *array;
  const ReeveSchemaObject *object;
  const ReeveSchemaLogic *logic;
  const char *title;
  const char *description;
  const char *fallback; /* default, as canonical JSON */
  const char
      *unit; /* x-reeve-unit: "bytes" or "seconds": text such as 10MiB, 5m is read as a number */
  const char *variable; /* x-reeve-variable: the environment variable that sets it */
  gboolean secret;      /* x-reeve-secret, writeOnly, format password: never shown */
  gboolean verbatim;    /* x-reeve-verbatim: "env:NAME" there is no variable to expand */
  gboolean planned; /* x-reeve-planned: accepted with a warning, for its feature is not built yet */
};

/* ---- validator ---- */

typedef struct _ReeveSchema ReeveSchema;

typedef struct
{
  char *pointer; /* JSON pointer (RFC 6901) into the instance, "" for all of it */
  char *message; /* lower case, no full stop */
  char *keyword; /* which keyword says so */
} ReeveSchemaFault;

ReeveSchema *reeve_schema_new_from_json (JsonNode *schema,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
ReeveSchema *reeve_schema_new_from_static (const ReeveSchemaNode *root) G_GNUC_WARN_UNUSED_RESULT;
ReeveSchema *reeve_schema_ref (ReeveSchema *self);
void reeve_schema_unref (ReeveSchema *self);
const ReeveSchemaNode *reeve_schema_get_root (ReeveSchema *self);

/* faults: (out) (optional) (transfer full) (element-type ReeveSchemaFault), NULL when valid */
gboolean reeve_schema_validate (ReeveSchema *self, JsonNode *instance, GPtrArray **faults,
                                GError **error);
/* (transfer full) @instance with *** in place of whatever some branch of the schema says is secret
 */
JsonNode *reeve_schema_mask (ReeveSchema *self, JsonNode *instance);
void reeve_schema_fault_free (ReeveSchemaFault *fault);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveSchema, reeve_schema_unref)

G_END_DECLS
