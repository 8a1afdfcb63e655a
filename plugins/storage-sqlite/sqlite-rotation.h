/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* New keys for a store, and keys for a store that has none. */
#pragma once

#include "sqlite-store.h"

G_BEGIN_DECLS

gboolean sqlite_rotation_run (SqliteStore *store, ReeveRotation how, GCancellable *cancellable,
                              GError **error);
gboolean sqlite_rotation_convert (const SqliteStoreKind *kind, const char *path,
                                  SqliteKeyring *keyring, ReeveStorageMark *mark, GError **error);

G_END_DECLS
