/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The secret by which API keys are digested. */
#pragma once

#include "store/store.h"

G_BEGIN_DECLS

#define REEVE_API_KEYS_PEPPER_LENGTH 32

gboolean reeve_api_keys_pepper_load (ReeveStore *store, const char *folder,
                                     guint8 pepper[REEVE_API_KEYS_PEPPER_LENGTH], GError **error);

G_END_DECLS
