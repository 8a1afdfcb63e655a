/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Declared collections as tables: what a scope looks like after so many migrations, and the steps
 * between. */
#pragma once

#include "sqlite-connection.h"

G_BEGIN_DECLS

/* "RVST" */
#define SQLITE_SCHEMA_APPLICATION 0x52565354
/* number of the file format itself, apart from the migrations of the host */
#define SQLITE_SCHEMA_FORMAT 1

typedef struct
{
  char *name;
  char *column; /* as it stands in statements */
  ReeveFieldType type;
} SqliteField;

/* One collection and the statements that its operations use. */
typedef struct
{
  char *name;
  GPtrArray *fields; /* of SqliteField */
  char *select;      /* ?1 id */
  char *revision;    /* ?1 id */
  char *insert;      /* ?1 id, ?2 body, ?3 … fields; nothing when it exists */
  char *upsert;      /* the same; gives the new revision */
  char *update;      /* the same; the last parameter is the revision expected */
  char *delete;      /* ?1 id */
} SqliteCollection;

/* One text index. */
typedef struct
{
  char *name;
  char *put;       /* ?1 group, ?2 key, ?3 title, ?4 text, ?5 data */
  char *delete;    /* ?1 group */
  char *search;    /* ?1 match, ?2 limit, ?3 ranking function */
  char *search_in; /* ?1 match, ?2 groups as a JSON array: rows and what they hold */
  char *count_in;  /* ?1 groups: number of their texts */
  char *look_up;   /* ?1 row */
  char *count;     /* number of texts */
  char *frequency; /* ?1 term: number of texts that hold it */
} SqliteTextIndex;

typedef struct _SqliteSchema SqliteSchema;

gboolean sqlite_schema_check (const ReeveMigration *migrations, GError **error);
SqliteSchema *sqlite_schema_new (const ReeveMigration *migrations, guint number);
void sqlite_schema_free (SqliteSchema *self);
guint sqlite_schema_get_number (SqliteSchema *self);
const SqliteCollection *sqlite_schema_find_collection (SqliteSchema *self, const char *name,
                                                       GError **error);
const SqliteTextIndex *sqlite_schema_find_text (SqliteSchema *self, const char *name,
                                                GError **error);
const SqliteField *sqlite_schema_find_field (const SqliteCollection *collection, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteSchema, sqlite_schema_free)

G_END_DECLS
