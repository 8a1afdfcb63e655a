/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The start of what says who may do what. */
#pragma once

#include "operations/services.h"

G_BEGIN_DECLS

/* After authentication and users are there. @faulty (out, transfer full): path in the configuration
 * of what is wrong. */
gboolean reeve_startup_roles_open (ReeveServices *services, char **faulty, GError **error);

G_END_DECLS
