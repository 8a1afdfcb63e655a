/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCare: what the host does by itself from time to time, on worker threads. Main thread. */
#pragma once

#include "operations/services.h"

G_BEGIN_DECLS

typedef struct _ReeveCare ReeveCare;

/* Begins at once, and then every minute. */
ReeveCare *reeve_care_new (ReeveServices *services) G_GNUC_WARN_UNUSED_RESULT;
/* Before the workers are shut down, which waits for what is under way. */
void reeve_care_free (ReeveCare *self);

G_END_DECLS
