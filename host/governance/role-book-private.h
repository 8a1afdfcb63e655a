/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of the role book. */
#pragma once

#include "role-book.h"

G_BEGIN_DECLS

/* A role of the configuration. */
typedef struct
{
  char *role_id;
  char *description;
  char **permissions;
  char **inherits;
} ReeveRoleBookConfigured;

struct _ReeveRoleBook
{
  GObject parent_instance;

  ReeveStore *store;
  GPtrArray *configured;     /* immutable after reeve_role_book_configure() */
  ReeveRolePage *everywhere; /* the configured ones, compiled */
  char *default_role;
  gboolean enabled;
  ReeveRoleBookChanged changed;
  gpointer changed_data;
  GMutex mutex;
  GHashTable *pages; /* tenant id -> ReeveRolePage */
  guint generation;
};

/* (transfer full) what the tenant's roles hold, compiled; kept until a role changes */
ReeveRolePage *reeve_role_book_open (ReeveRoleBook *self, const char *tenant_id, GError **error);
/* (transfer full) the same, not compiled and not kept */
ReeveRolePage *reeve_role_book_read (ReeveRoleBook *self, const char *tenant_id, GError **error);
/* After a commit: the next question reads anew, then @ground (nullable) holds no more. */
void reeve_role_book_announce (ReeveRoleBook *self, const char *tenant_id, const char *ground);

G_END_DECLS
