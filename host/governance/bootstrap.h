/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first start: tenant `default`, user `admin`, its key in <state>/admin.key. */
#pragma once

#include "admission.h"
#include "api-keys.h"
#include "grants.h"
#include "tenants.h"
#include "users.h"

G_BEGIN_DECLS

#define REEVE_BOOTSTRAP_KEY_FILE "admin.key"

/* What it works with; all open. */
typedef struct
{
  ReeveAdmission *admission;
  ReeveTenants *tenants;
  ReeveUsers *users;
  ReeveApiKeys *api_keys;
  ReeveAuthentication *authentication;
  ReeveGrants *grants; /* (nullable): loaded; of what comes with the host */
  const char *state_folder;
} ReeveBootstrap;

/* (transfer full) the host itself, in tenant `default`: for what nobody asked for through a door */
ReeveCaller *reeve_bootstrap_make_caller (void);
/* On every start, before anything listens: makes what is missing, changes nothing that is there.
 * Blocks. */
gboolean reeve_bootstrap_run (const ReeveBootstrap *self, GError **error);

G_END_DECLS
