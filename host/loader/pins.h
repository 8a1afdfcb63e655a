/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pins: the plugins that this build trusts in its own process, by the digests of their files. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const char *id;
  const char *manifest; /* SHA-256 of <id>.plugin, hexadecimal */
  const char *module;   /* SHA-256 of the .so, hexadecimal */
  const char *settings; /* SHA-256 of the manifest's SchemaFile, or NULL when there is none */
} ReevePin;

/* Both lists end with a NULL id; extra may be NULL. */
const ReevePin *reeve_pins_find (const ReevePin *pins, const char *id);

/* generated at build time by make_pins.py, linked into reeve-host only; ended by a NULL id */
extern const ReevePin reeve_pins_built_in[];

G_END_DECLS
