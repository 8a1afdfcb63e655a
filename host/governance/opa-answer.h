/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an Open Policy Agent answers to POST /v1/data/PATH. Pure. */
#pragma once

#include "policy-adviser.h"

G_BEGIN_DECLS

/* longest answer that is read, in bytes */
#define REEVE_OPA_ANSWER_LONGEST ((gsize) 64 * 1024)

/* {"result": true|false|{allow, approval_required?, reason?}}; without result: undefined. Status
 * 500 and beyond is no answer; anything else is one that cannot be read. (transfer full), never
 * NULL. */
ReevePolicyAdvice *reeve_opa_answer_read (guint status, const char *body, gsize length);

G_END_DECLS
