/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that are too many for a message: memory of the host's that nobody changes any more, by a
 * descriptor. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* A descriptor of a copy of @data, sealed but for being cut; -1 with %REEVE_ERROR_FAILED. The host
 * alone may. */
int wire_blob_new (gconstpointer data, gsize length, GError **error);
/* The same of a size, still to be written: it grows no more. */
int wire_blob_new_open (gsize size, GError **error);
/* (transfer full) (nullable): what @fd holds, mapped and not copied; of whoever made it sealed.
 * Takes over @fd. */
GBytes *wire_blob_map (int fd, GError **error);
/* (transfer full) (nullable): a copy of the first @size bytes, whatever is done to it meanwhile */
GBytes *wire_blob_copy (int fd, gsize size, GError **error);

G_END_DECLS
