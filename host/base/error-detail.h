/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a caller may read of an error. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

const char *reeve_error_detail_get (const GError *error);
const char *reeve_error_detail_get_code (const GError *error);

G_END_DECLS
