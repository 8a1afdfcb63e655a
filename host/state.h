/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveState: the folder where one host keeps everything, and the lock that makes it one. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveState ReeveState;

/* Makes the folder (mode 0700) where it is missing. REEVE_ERROR_BUSY when another host has it. */
ReeveState *reeve_state_open (const char *folder, GError **error);
void reeve_state_close (ReeveState *self);
const char *reeve_state_get_folder (ReeveState *self);
/* (transfer full) a folder below, made (mode 0700) where it is missing */
char *reeve_state_make_folder (ReeveState *self, const char *name, GError **error);
/* <state>/address, while the host runs */
gboolean reeve_state_write_address (ReeveState *self, const char *url, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveState, reeve_state_close)

G_END_DECLS
