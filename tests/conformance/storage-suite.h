/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one suite that every storage plugin has to pass. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct
{
  /* a storage that was set up and not opened */
  ReeveStorage *(*make) (gpointer data, GError **error);
  gpointer data;
  /* what was committed is there when the folder is opened again */
  gboolean durable;
  /* (nullable): a case begins, in a new folder */
  void (*begin) (gpointer data);
} StorageSuiteFactory;

/* Adds the cases to the test program, as /<prefix>/…; factory must live as long as it runs. */
void storage_suite_add (const char *prefix, const StorageSuiteFactory *factory);

G_END_DECLS
