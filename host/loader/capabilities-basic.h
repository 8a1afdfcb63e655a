/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every plugin may do without asking: log, metrics, audit.emit, clock, random. */
#pragma once

#include "capabilities.h"

G_BEGIN_DECLS

gboolean reeve_capabilities_basic_has (const char *name);
void reeve_capabilities_basic_provide (ReeveCapabilities *capabilities);

G_END_DECLS
