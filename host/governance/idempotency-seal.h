/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Seals a kept answer, so that who reads the store does not read the answers. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_IDEMPOTENCY_SEAL_KEY 32 /* as REEVE_KEY_SEAL_KEY */

char *reeve_idempotency_seal_close (const guint8 key[REEVE_IDEMPOTENCY_SEAL_KEY], const char *name,
                                    const char *text, GError **error);
char *reeve_idempotency_seal_open (const guint8 key[REEVE_IDEMPOTENCY_SEAL_KEY], const char *name,
                                   const char *sealed, GError **error);

G_END_DECLS
