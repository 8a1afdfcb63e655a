/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestRouter: from method and path to a row of the table. Immutable, any thread. */
#pragma once

#include "operations/call.h"

G_BEGIN_DECLS

#define REEVE_REST_ROUTER_MAX_MEMBERS 8

typedef struct _ReeveRestRouter ReeveRestRouter;

typedef struct
{
  const ReeveOperation *operation; /* NULL: no such method there */
  const char *names[REEVE_REST_ROUTER_MAX_MEMBERS];
  char *values[REEVE_REST_ROUTER_MAX_MEMBERS]; /* decoded */
  guint length;
  char *allow; /* methods there are, when there is a path but no operation */
} ReeveRestMatch;

ReeveRestRouter *reeve_rest_router_new (const ReeveOperation *operations);
void reeve_rest_router_free (ReeveRestRouter *self);
/* FALSE: no such path. path: as it was sent, without the query */
gboolean reeve_rest_router_match (ReeveRestRouter *self, const char *method, const char *path,
                                  ReeveRestMatch *match);
void reeve_rest_router_clear_match (ReeveRestMatch *match);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestRouter, reeve_rest_router_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveRestMatch, reeve_rest_router_clear_match)

G_END_DECLS
