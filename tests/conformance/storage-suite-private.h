/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the storage suite share. */
#pragma once

#include "storage-suite.h"

G_BEGIN_DECLS

#define SUITE_SCOPE "acme"

/* One case: a storage open in a folder of its own, with scope SUITE_SCOPE. */
typedef struct
{
  const StorageSuiteFactory *factory;
  char *folder;
  ReeveStorage *storage;
} Suite;

typedef void (*SuiteFunc) (Suite *suite);

typedef struct
{
  const char *path;
  SuiteFunc func;
  gboolean durable; /* only for storages that are */
} SuiteCase;

extern const ReeveMigration suite_platform[];
extern const ReeveMigration suite_tenant[]; /* three of them */

/* each list ends with a NULL path */
extern const SuiteCase suite_records[];
extern const SuiteCase suite_queries[];
extern const SuiteCase suite_aggregates[];
extern const SuiteCase suite_ordered[];
extern const SuiteCase suite_text[];
extern const SuiteCase suite_scopes[];
extern const SuiteCase suite_schema[];

void suite_open (Suite *suite);
void suite_close (Suite *suite);

JsonObject *suite_object (const char *json);
/* commits one batch and fails the test when it is refused; the batch is consumed */
ReeveBatchResult *suite_commit (Suite *suite, ReeveBatch *batch);
/* commits one batch that has to be refused with that code; consumed */
void suite_refuse (Suite *suite, ReeveBatch *batch, ReeveError code);
void suite_put (Suite *suite, const char *collection, const char *id, const char *json);
char *suite_get_member (Suite *suite, const char *collection, const char *id, const char *member);
/* ids of the page, joined by blanks; cursor: (nullable) (inout) */
char *suite_query_ids (Suite *suite, ReeveQuery *query, char **cursor);

G_END_DECLS
