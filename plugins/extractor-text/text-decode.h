/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the bytes of a text file to text. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* largest text that is read */
#define TEXT_DECODE_MAX ((gsize) 64 * 1024 * 1024)

gchar *text_decode (const gchar *data, gsize length, GError **error);
gchar *text_decode_title (const gchar *text);

G_END_DECLS
