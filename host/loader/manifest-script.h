/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of a plugin whose module is a script. */
#pragma once

#include "manifest.h"

G_BEGIN_DECLS

/* (nullable): it is none */
const char *reeve_manifest_get_interpreter (ReeveManifest *self);
/* (nullable) what its interpreter imports before it begins */
const char *const *reeve_manifest_get_imports (ReeveManifest *self);

G_END_DECLS
