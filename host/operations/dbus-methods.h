/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The typed D-Bus methods: which operation each one is, and which parameter each argument. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const char *name;      /* of the argument */
  const char *signature; /* s, i, t, b … */
  const char *parameter; /* of the operation; an argument that holds an object is JSON text */
} ReeveDbusArgument;

typedef struct
{
  const char *interface;
  const char *method;
  const char *operation;
  const ReeveDbusArgument *arguments; /* ended by a NULL name */
  const char *result;                 /* signature: s is JSON, b says that it was done */
  const char *generate;               /* parameter that gets a fresh id; NULL */
} ReeveDbusMethod;

/* Ordered by interface and method, ended by a NULL interface (generated). */
extern const ReeveDbusMethod reeve_dbus_methods[];
/* Introspection of the typed interfaces (generated). */
extern const char reeve_dbus_xml[];

G_END_DECLS
