/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine that the plugin offers: answers by quoting. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define EXTRACTIVE_TYPE_ENGINE (extractive_engine_get_type ())

G_DECLARE_FINAL_TYPE (ExtractiveEngine, extractive_engine, EXTRACTIVE, ENGINE, ReevePlugin)

G_END_DECLS
