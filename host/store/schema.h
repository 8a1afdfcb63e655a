/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's collections as numbered migrations. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

const ReeveMigration *reeve_schema_get_platform (void);
const ReeveMigration *reeve_schema_get_tenant (void);

G_END_DECLS
