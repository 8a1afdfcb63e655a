/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the faulty plugin share. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define FAULTY_TYPE_PLUGIN (faulty_plugin_get_type ())
G_DECLARE_FINAL_TYPE (FaultyPlugin, faulty_plugin, FAULTY, PLUGIN, ReevePlugin)

#define FAULTY_TYPE_DECODER (faulty_decoder_get_type ())
G_DECLARE_FINAL_TYPE (FaultyDecoder, faulty_decoder, FAULTY, DECODER, GObject)

/* is that the fault its settings name? */
gboolean faulty_plugin_has (gpointer self, const char *fault);
FaultyDecoder *faulty_decoder_new (FaultyPlugin *plugin);

G_END_DECLS
