/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin that implements every interface and does what a test tells it, rightly or wrongly. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef enum
{
  FAKE_GOOD,   /* a result, no error */
  FAKE_FAIL,   /* no result, an error */
  FAKE_SILENT, /* neither */
  FAKE_BOTH,   /* both */
} FakeManner;

#define FAKE_TYPE_PLUGIN (fake_plugin_get_type ())
G_DECLARE_FINAL_TYPE (FakePlugin, fake_plugin, FAKE, PLUGIN, ReevePlugin)

/* implements the same interfaces without any function */
#define FAKE_TYPE_BARE (fake_bare_get_type ())
G_DECLARE_FINAL_TYPE (FakeBare, fake_bare, FAKE, BARE, ReevePlugin)

FakePlugin *fake_plugin_new (FakeManner manner);
FakeBare *fake_bare_new (void);
void fake_plugin_set_manner (FakePlugin *self, FakeManner manner);
/* calls that reached a function of the plugin */
guint fake_plugin_get_calls (FakePlugin *self);
/* what the last ReeveContext.call was given */
JsonNode *fake_plugin_get_params (FakePlugin *self);

G_END_DECLS
