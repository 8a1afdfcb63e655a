/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another master key: all keys are sealed anew. */
#pragma once

#include <glib.h>

#include "master-key.h"

G_BEGIN_DECLS

/* Before each file: how many were written of how many writes. FALSE stops, where all is whole. */
typedef gboolean (*ReeveMasterRotationFunc) (guint done, guint total, gpointer user_data);

/* No host may use the folder. */
gboolean reeve_master_rotation_run (const char *folder, ReeveMasterKey *from, ReeveMasterKey *to,
                                    ReeveMasterRotationFunc func, gpointer user_data,
                                    GError **error);
/* Takes out what a rotation that was cut off has left; id: of the master key that counts */
gboolean reeve_master_rotation_clean (const char *folder, const char *id, GError **error);

G_END_DECLS
