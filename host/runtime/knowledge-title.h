/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a document is called: as its metadata say, else its file, else its text. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* (transfer full) %REEVE_ERROR_INVALID_ARGUMENT names the member that holds none. */
char *reeve_knowledge_title_choose (JsonObject *metadata, const char *file_name,
                                    ReeveExtract *extract, GError **error);

G_END_DECLS
