/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The typed D-Bus methods: which operation each one is, and which parameter each argument. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const char *name;      /* of the argument */
  const char *signature; /* s, i, t, b, a{sv} … */
  const char *parameter; /* of the operation; a string may hold an object as JSON text */
} ReeveDbusArgument;

typedef struct
{
  const char *signature; /* s, x, b, a{sv}, aa{sv} */
  const char *member;    /* (nullable): of the answer, and one within it behind a dot; NULL: all of
                          * it, which as a string is JSON text */
  gint64 otherwise;      /* a number where the answer has none */
} ReeveDbusResult;

typedef struct
{
  const char *interface;
  const char *method;
  const char *operation;
  const ReeveDbusArgument *arguments; /* ended by a NULL name */
  const ReeveDbusResult *results;     /* ended by a NULL signature */
  const char *generate;               /* parameter that gets a fresh id; NULL */
  gboolean page;                      /* a list whose length nobody says: as long as one may be */
} ReeveDbusMethod;

/* Ordered by interface and method, ended by a NULL interface (generated). */
extern const ReeveDbusMethod reeve_dbus_methods[];
/* Introspection of the typed interfaces (generated). */
extern const char reeve_dbus_xml[];

G_END_DECLS
