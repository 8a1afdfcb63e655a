/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers to what never became a request: a problem document, and the end of the connection. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full): the whole answer as it goes out. instance: (nullable): path as it was sent */
GBytes *reeve_rest_refusal_new (guint status, const char *detail, const char *instance);

G_END_DECLS
