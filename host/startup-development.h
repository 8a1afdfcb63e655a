/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Development tokens: signed with a shared secret, in profile dev alone. */
#pragma once

#include "operations/services.h"

G_BEGIN_DECLS

gboolean reeve_startup_development_open (ReeveServices *services, GError **error);

G_END_DECLS
