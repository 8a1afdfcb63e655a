/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random bytes of the kernel, fetched in bulk: a nonce for every page costs no system call. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean sqlite_random_fill (guint8 *bytes, gsize length);

G_END_DECLS
