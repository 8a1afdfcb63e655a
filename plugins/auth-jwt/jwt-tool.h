/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JwtTool: what a verification needs and takes a while to make. One thread uses it at a time. */
#pragma once

#include <openssl/evp.h>

#include "jwt-algorithm.h"

G_BEGIN_DECLS

typedef struct _JwtTool JwtTool;

JwtTool *jwt_tool_new (EVP_PKEY *pkey, const JwtAlgorithm *algorithm);
void jwt_tool_free (JwtTool *self);
gboolean jwt_tool_is_for (JwtTool *self, const JwtAlgorithm *algorithm);
gboolean jwt_tool_verify (JwtTool *self, gconstpointer data, gsize length, const guint8 *signature,
                          gsize signature_length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JwtTool, jwt_tool_free)

G_END_DECLS
