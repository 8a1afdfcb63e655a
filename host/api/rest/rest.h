/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRest: the HTTP door. */
#pragma once

#include "operations/services.h"

#include "bounds.h"

G_BEGIN_DECLS

typedef struct _ReeveRest ReeveRest;

typedef struct
{
  const char *const *addresses; /* as in server.listen */
  ReeveConfig *config;          /* of TLS and CORS */
  guint threads;                /* 0: one a CPU, at most 8 */
  ReeveRestBounds limits;
} ReeveRestSetup;

/* Binds, so that a port that is taken shows before anything else starts. */
ReeveRest *reeve_rest_new (const ReeveRestSetup *setup, GError **error);
/* http://ADDR:PORT or https://ADDR:PORT of each address */
const char *const *reeve_rest_get_urls (ReeveRest *self);
gboolean reeve_rest_start (ReeveRest *self, ReeveServices *services, GError **error);
/* Reads the certificate again; on error the old one stays. Blocks. */
gboolean reeve_rest_reload (ReeveRest *self, GError **error);
/* Have its files changed? Blocks. */
gboolean reeve_rest_has_news (ReeveRest *self);
gboolean reeve_rest_is_encrypted (ReeveRest *self);
/* Takes no new connections, and closes the idle ones. */
void reeve_rest_stop_accepting (ReeveRest *self);
/* The same; waits until the requests under way have ended or timeout_us passed. */
void reeve_rest_stop (ReeveRest *self, gint64 timeout_us);
void reeve_rest_free (ReeveRest *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRest, reeve_rest_free)

G_END_DECLS
