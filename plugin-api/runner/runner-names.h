/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses that stand for names. A runner cannot ask who answers for a name, and must not: the
 * host looks it up when it connects. Until then a library that insists on an address has one of
 * these, which lead nowhere: 198.18.0.0/15 (RFC 2544) and 100::/64 (RFC 6666). */
#pragma once

#include <netdb.h>
#include <netinet/in.h>

#include <glib.h>

G_BEGIN_DECLS

/* names that a process has at once: of more the first are forgotten */
#define RUNNER_NAMES_MAX 1024

/* An address that stands for @name, the same one until it is forgotten; @family: AF_INET6, or
 * whatever else is IPv4. FALSE: it is no name. Any thread. */
gboolean runner_names_add (const char *name, int family, char *text, gsize size);
/* (transfer full) (nullable): what the host is asked for: the name that @address stands for, or the
 * address itself, as text; and the port. %NULL: it is no address of IP's. Any thread. */
char *runner_names_find (const struct sockaddr *address, socklen_t length, guint16 *port);

G_END_DECLS
