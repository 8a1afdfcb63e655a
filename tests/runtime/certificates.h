/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates made on the spot, so that tests of TLS need neither files in the tree nor a tool. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Writes PATH.pem (certificate) and PATH.key: self-signed, valid for host (a DNS name or an
 * address); days may be negative: expired. */
void certificates_make (const char *path, const char *host, int days);

G_END_DECLS
