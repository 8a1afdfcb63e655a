/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JwtSource: the keys of an issuer, fetched and kept. Any thread. */
#pragma once

#include "jwt-settings.h"

G_BEGIN_DECLS

typedef struct _JwtSource JwtSource;

/* What a source gave. */
typedef struct
{
  JwtKeySet *keys;
  gint64 until; /* monotonic µs: when they are to be looked at again */
  guint generation;
} JwtSourceKeys;

JwtSource *jwt_source_new (const JwtSettings *settings);
void jwt_source_free (JwtSource *self);
gboolean jwt_source_get (JwtSource *self, ReeveContext *context, gint64 now, JwtSourceKeys *given,
                         GError **error);
gboolean jwt_source_warm (JwtSource *self, ReeveContext *context, gint64 now, GError **error);
gboolean jwt_source_renew (JwtSource *self, const char *kid, ReeveContext *context, gint64 now,
                           JwtSourceKeys *given, GError **error);
void jwt_source_note_unknown (JwtSource *self, const char *kid, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JwtSource, jwt_source_free)

G_END_DECLS
