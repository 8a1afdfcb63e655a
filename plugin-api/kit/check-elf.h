/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads which symbols a shared object exports, without loading it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full): names, NULL-terminated; NULL when the bytes are no shared object of this
 * machine's word size */
char **check_elf_read_exports (const char *data, gsize length);

G_END_DECLS
