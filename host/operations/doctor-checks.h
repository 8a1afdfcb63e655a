/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be checked of a host that runs. Blocks: worker threads. */
#pragma once

#include "services.h"

G_BEGIN_DECLS

/* (transfer full) {profile, failed, warned, items[{id, state, detail, remedy, row}]} */
JsonObject *reeve_doctor_checks_run (ReeveServices *services);

G_END_DECLS
