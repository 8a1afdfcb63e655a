/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveOperation: one row of the table, generated from <noun>.json at build time. */
#pragma once

#include <reeve-plugin-1.h>

#include "base/json-schema.h"

G_BEGIN_DECLS

typedef struct _ReeveCall ReeveCall;
typedef struct _ReeveServices ReeveServices;

typedef enum
{
  REEVE_CLASS_EFFECT, /* intent before, outcome after */
  REEVE_CLASS_READ,   /* one record, durable before the answer */
  REEVE_CLASS_PROBE   /* health, metrics, documents about the interface: no record */
} ReeveOperationClass;

typedef enum
{
  REEVE_OPERATION_NONE = 0,
  REEVE_OPERATION_PUBLIC = 1 << 0,         /* no authentication needed */
  REEVE_OPERATION_PLATFORM_ADMIN = 1 << 1, /* the platform admin besides the permission */
  REEVE_OPERATION_ASYNC
  = 1 << 2, /* runs on the door's context and does not block; else on a worker */
  REEVE_OPERATION_STREAM = 1 << 3,      /* may answer as an event stream */
  REEVE_OPERATION_IDEMPOTENCY = 1 << 4, /* honours Idempotency-Key */
  REEVE_OPERATION_COMPATIBLE
  = 1 << 5, /* compatible door: raw body, unknown members allowed, that vendor's errors */
  REEVE_OPERATION_MULTIPART = 1 << 6, /* body is multipart/form-data; parts are in the call */
  /* the function learns from the body which effect it is, and begins its admission itself */
  REEVE_OPERATION_ADMITS_ITSELF = 1 << 7,
  /* what is made lies in the workspace that its parameter workspace_id names */
  REEVE_OPERATION_MAKES = 1 << 8,
  /* shows what lies where the caller holds the permission, and nothing else: a role in a workspace
   * is enough to ask */
  REEVE_OPERATION_NARROWS = 1 << 9,
  /* who asks from this very machine needs no credentials, unless metrics.require_authentication */
  REEVE_OPERATION_LOOPBACK = 1 << 10,
  /* begins a run of the agent that its parameter agent_id names, if its queue has a place */
  REEVE_OPERATION_RUNS = 1 << 11
} ReeveOperationFlags;

typedef enum
{
  REEVE_PARAMETER_PATH,
  REEVE_PARAMETER_QUERY,
  REEVE_PARAMETER_BODY
} ReeveParameterPlace;

typedef struct
{
  const char *name;
  ReeveParameterPlace place;
  char type; /* of path and query: 's' string, 'i' integer, 'n' number, 'b' boolean; body members:
                'j' */
  gboolean required;
  gboolean secret; /* never in a digest that is kept */
} ReeveParameter;

/* Path parameter that must name a record of @collection in the caller's tenant (or the platform's):
 * else 404 before the body is looked at. */
typedef struct
{
  const char *parameter;
  const char *collection;
  gboolean platform;
} ReeveIdentifier;

/* Ends with reeve_call_complete() or reeve_call_fail(), at once or later, from any thread. */
typedef void (*ReeveOperationFunc) (ReeveCall *call, ReeveServices *services);

/* Of an identifier that names nothing: is there still something of what was deleted that @call may
 * have? Blocks. */
typedef gboolean (*ReeveOperationRemainsFunc) (ReeveCall *call, ReeveServices *services,
                                               const char *collection, const char *id,
                                               gboolean *exists, GError **error);

/* Where the permission is not all that is asked for: may what was answered under an idempotency key
 * be answered again, by what holds now? On a worker, without an effect. */
typedef gboolean (*ReeveOperationAgainFunc) (ReeveCall *call, ReeveServices *services,
                                             GError **error);

typedef struct
{
  const char *name; /* agents.get */
  const char *summary;
  ReeveOperationClass klass;
  ReeveOperationFlags flags;
  const char *permission; /* NULL: none beyond authentication */
  const char *action;     /* audit action */
  const char *method;
  const char *path;                   /* /api/v1/admin/agents/{agent_id} */
  const char *const *aliases;         /* further paths, NULL-terminated, or NULL */
  const ReeveParameter *parameters;   /* ended by a NULL name */
  const ReeveIdentifier *identifiers; /* ended by a NULL parameter */
  const char *resource_type;          /* for the record; NULL */
  const char *resource_parameter;     /* which parameter is the resource's id; NULL */
  guint success_status;
  const ReeveSchemaNode *schema; /* of all parameters in one object */
  const ReeveSchemaNode *result; /* of the result; NULL for 204 and streams */
  ReeveOperationFunc func;
  ReeveOperationAgainFunc again;     /* NULL: the stage of authorisation says it all */
  ReeveOperationRemainsFunc remains; /* NULL: of what was deleted there is nothing */
  const char *const *states; /* what shows the thing that it changes: the first whose path it is
                                told; NULL-terminated */
  gboolean takes_body;       /* has one at all */
  gboolean needs_body;       /* an empty one is refused */
} ReeveOperation;

/* The whole table, ended by a NULL name (generated). */
extern const ReeveOperation reeve_operations[];
extern const guint reeve_operations_length;

const ReeveOperation *reeve_operation_find (const char *name);

G_END_DECLS
