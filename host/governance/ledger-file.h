/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The few file operations the ledger needs, each durable and bounded. */
#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* every file of a ledger is opened by this */
int reeve_ledger_file_open (const char *path, int flags, mode_t mode, GError **error);
GBytes *reeve_ledger_file_read (const char *path, gsize max_size, GError **error);
gboolean reeve_ledger_file_replace (const char *path, gconstpointer data, gsize length, mode_t mode,
                                    GError **error);
gboolean reeve_ledger_file_save_cache (const char *path, gconstpointer data, gsize length,
                                       GError **error);
gboolean reeve_ledger_file_rewrite (const char *path, gconstpointer data, gsize length,
                                    GError **error);
void reeve_ledger_file_sync_all (const char *folder);
gboolean reeve_ledger_file_sync_folder (const char *path, GError **error);
gboolean reeve_ledger_file_write_at (int fd, gconstpointer data, gsize length, guint64 offset,
                                     GError **error);
gssize reeve_ledger_file_read_at (int fd, gpointer buffer, gsize length, guint64 offset,
                                  GError **error);
void reeve_ledger_file_set_error (GError **error, int code, const char *doing, const char *path);

G_END_DECLS
