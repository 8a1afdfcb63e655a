/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sealed SQLite file through the product's file layer alone, without a storage around it. */
#pragma once

#include "sqlite-connection.h"
#include "test-keys.h"

G_BEGIN_DECLS

typedef struct
{
  char *folder;
  char *path;
  TestKeys *keys;
  SqliteKeyring *keyring;
  SqliteVfs *vfs;
  SqliteNode *node;
} SealedFile;

void sealed_file_set_up (SealedFile *self);
void sealed_file_tear_down (SealedFile *self);
/* the same file as a new process would find it: nothing remembered */
void sealed_file_forget (SealedFile *self);
SqliteConnection *sealed_file_create (SealedFile *self);
SqliteConnection *sealed_file_open (SealedFile *self);
void sealed_file_exec (SqliteConnection *connection, const char *sql);
gint64 sealed_file_get_int (SqliteConnection *connection, const char *sql);
/* as it lies on disk now, with its log, under another name; @to is opened by what is returned */
void sealed_file_copy (SealedFile *from, SealedFile *to);
void sealed_file_flip (const char *path, gint64 offset);
gint64 sealed_file_get_size (const char *path);

G_END_DECLS
