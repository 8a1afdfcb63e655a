/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who asks the host for a connection that a library makes by itself: a module's call, or the script
 * that speaks the wire. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* The call of @context runs on this thread from now on, and does no more. What is connected between
 * is its connection. */
void runner_ask_enter (ReeveContext *context);
void runner_ask_leave (ReeveContext *context);
/* From now on a script is asked, on RUNNER_PLAN_ASK_FD: docs/wire.md. FALSE: there is no pipe. */
gboolean runner_ask_begin_script (void);
/* The plugin's end of a relay, the caller's; -1 with errno set, and the reason in the host's log.
 * Blocks. Any thread. */
int runner_ask_tcp (const char *host, guint16 port);

G_END_DECLS
