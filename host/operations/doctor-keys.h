/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that may be more than anybody needs. Blocks: worker threads. */
#pragma once

#include "governance/users.h"

G_BEGIN_DECLS

typedef struct
{
  guint active;   /* keys that let somebody in, of all tenants */
  guint platform; /* those of the platform admin */
  guint endless;  /* those without an end */
  guint unused;   /* those that nobody has used in the time since they were made */
} ReeveDoctorKeys;

/* Counts keys; one that was never used counts when it is older than unused_us. */
gboolean reeve_doctor_keys_count (ReeveStore *store, ReeveUsers *users, gint64 unused_us,
                                  ReeveDoctorKeys *counts, GError **error);

G_END_DECLS
