/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestRequest: one HTTP request from its head to the last byte of its answer. */
#pragma once

#include "thread.h"

G_BEGIN_DECLS

/* All requests of the server go through the thread's router and gate. */
void reeve_rest_request_install (SoupServer *server, ReeveRestThread *thread);

G_END_DECLS
