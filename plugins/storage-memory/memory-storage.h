/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MemoryStorage: the storage contract without a disk, for tests. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define MEMORY_TYPE_STORAGE (memory_storage_get_type ())
G_DECLARE_FINAL_TYPE (MemoryStorage, memory_storage, MEMORY, STORAGE, ReevePlugin)

G_END_DECLS
