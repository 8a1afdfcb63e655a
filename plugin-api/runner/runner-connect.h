/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a library calls that connects by itself: socket(2), connect(2), getaddrinfo(3) and what goes
 * with them. A program's functions come before its libraries': so a module, and what it links, call
 * these. They ask the host for the connection, under `net.tcp`, as reeve_context_tcp() does; the
 * kernel refuses this process all that it refused it before. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* From now on they do; before that, and without it, each is the plain call. Once, before there is a
 * thread. */
void runner_connect_begin (void);

G_END_DECLS
