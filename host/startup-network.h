/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The start of what says from where callers may come. */
#pragma once

#include "operations/services.h"

G_BEGIN_DECLS

/* After tenants, authentication and workspaces are there. @faulty (out, transfer full): path in the
 * configuration of what is wrong. */
gboolean reeve_startup_network_open (ReeveServices *services, char **faulty, GError **error);

G_END_DECLS
