/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability `identity.read`: who makes the call that a plugin is in, as far as its grants say. */
#pragma once

#include "governance/users.h"
#include "loader/capabilities.h"

G_BEGIN_DECLS

/* Offers the capability; @users outlives @capabilities. */
void reeve_plugin_identity_provide (ReeveUsers *users, ReeveCapabilities *capabilities);

G_END_DECLS
