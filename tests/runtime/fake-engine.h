/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An engine that says "one two three", or fails when its model is called fail. It keeps the context
 * of its last call, as its data "context". */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

ReevePlugin *fake_engine_new (void);

G_END_DECLS
