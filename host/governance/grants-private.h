/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For the files of ReeveGrants alone. */
#pragma once

#include "grants-page.h"
#include "grants.h"

G_BEGIN_DECLS

#define REEVE_GRANTS_SOURCE_ADMINISTRATOR "administrator"
#define REEVE_GRANTS_SOURCE_DEFAULT       "default"

struct _ReeveGrants
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveRegistry *registry;
  ReeveGrantsCeiling *ceiling;
  GHashTable *first_party; /* ids of the plugins that come with this host; read only */
  GMutex mutex;
  ReeveGrantsPage *page; /* with mutex; NULL: not read yet */
  GHashTable *leases;    /* with mutex: ReeveCapabilityLease of calls under way */
  GSource *alarm;        /* with mutex (nullable): at the next end */
  gboolean stopped;      /* with mutex */
};

/* (transfer full) %REEVE_ERROR_NOT_FOUND */
ReeveRegistryEntry *reeve_grants_find_plugin (ReeveGrants *self, const char *plugin_id,
                                              GError **error);
/* Consumes @admitted (@name, @params: (nullable)), commits, reads again, cuts. */
gboolean reeve_grants_commit (ReeveGrants *self, ReeveAdmitted *admitted, const char *operation,
                              const char *name, JsonObject *params, ReeveBatch *batch,
                              GError **error);
/* (transfer full) a grant as it is shown */
JsonObject *reeve_grants_show_record (ReeveRecord *record);
/* (transfer full) (nullable) */
ReeveGrantsPage *reeve_grants_look (ReeveGrants *self);
/* Does the host's own plugin have what nobody else can have? */
gboolean reeve_grants_is_hosts_own (ReeveGrants *self, const char *plugin_id);

G_END_DECLS
