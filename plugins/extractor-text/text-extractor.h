/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads plain text and Markdown. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define TEXT_TYPE_EXTRACTOR (text_extractor_get_type ())

G_DECLARE_FINAL_TYPE (TextExtractor, text_extractor, TEXT, EXTRACTOR, ReevePlugin)

G_END_DECLS
