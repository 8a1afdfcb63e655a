/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys by the names that other products have for them. */
#pragma once

#include "config-yaml.h"

G_BEGIN_DECLS

/* Moves what is known under another name to where it stands here; root: what a file holds, label:
 * its name. FALSE with an error for what cannot be taken as it is meant, naming what to write. */
gboolean reeve_config_aliases_apply (ReeveConfigNode *root, const char *label, GError **error);

G_END_DECLS
