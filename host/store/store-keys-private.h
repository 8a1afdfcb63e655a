/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of ReeveStoreKeys share. */
#pragma once

#include "key-cache.h"
#include "key-marks.h"
#include "store-keys.h"

struct _ReeveStoreKeys
{
  GObject parent_instance;

  char *folder;
  ReeveMasterKey *master;
  ReeveKeyMarks *marks;
  ReeveKeyCache *cache;
  /* whose file is being read or written: no lock is held meanwhile */
  GMutex mutex;
  GCond cond;
  GHashTable *busy;
};
