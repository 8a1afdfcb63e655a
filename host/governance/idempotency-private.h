/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For the files of ReeveIdempotency alone. */
#pragma once

#include "idempotency.h"

G_BEGIN_DECLS

/* members of a record */
#define REEVE_IDEMPOTENCY_SUBJECT "subject" /* who asked */
#define REEVE_IDEMPOTENCY_ERASED  "erased"  /* the answer was, with him */

struct _ReeveIdempotency
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveWorkers *workers;
  guint seconds;
  GMutex lock;      /* guards live */
  GHashTable *live; /* ids under which this very process does or looks up something */
};

G_END_DECLS
