/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ledger's files, changed: each input is a list of changes (file, what, where, with which bytes).
 * The verification ends, and calls no log with changed records good. */
/* covers: host/governance/ledger-verify.c
 * host/governance/ledger-segment.c
 * host/governance/ledger-scanner.c */
#include "governance/ledger-verify.h"
#include "../helpers/test-tree.h"

#include <glib/gstdio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS     30
#define MAX_CHANGES 8

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  char *path;
  GByteArray *good;
  GByteArray *now; /* NULL: as it was */
} File;

static char *state;
static char *folder;
static char *keys;
static GPtrArray *files; /* of segments, then checkpoints */

static void
clean_up (void)
{
  test_tree_remove (state);
}

static void
append_all (ReeveLedger *ledger)
{
  for (guint i = 0; i < RECORDS; i++)
    {
      ReeveLedgerRecord record = {
        .kind = i % 3 == 0 ? REEVE_LEDGER_READ : REEVE_LEDGER_REFUSAL,
        .scope = i % 5 == 0 ? REEVE_SCOPE_PLATFORM : "acme",
        .action = "fuzz.it",
        .actor_type = "user",
        .actor_id = "usr_one",
        .reason = i % 3 == 0 ? NULL : "permission_denied",
        .door = "rest",
      };

      if (reeve_ledger_append (ledger, &record, NULL) == 0)
        abort ();
    }
}

static void
collect (const char *scope, const char *suffix)
{
  g_autofree char *path = g_build_filename (folder, scope, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      File *file = NULL;
      char *text = NULL;
      gsize length = 0;

      if (!g_str_has_suffix (name, suffix))
        continue;
      file = g_new0 (File, 1);
      file->path = g_build_filename (path, name, NULL);
      if (!g_file_get_contents (file->path, &text, &length, NULL))
        abort ();
      file->good = g_byte_array_new_take ((guint8 *) text, length);
      g_ptr_array_add (files, file);
    }
}

/* (transfer full) why not, or NULL */
static char *
find_fault (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) result = reeve_ledger_verify_folder (folder, keys, &error);
  g_autoptr (JsonNode) node = NULL;

  g_assert_true ((result == NULL) == (error != NULL));
  if (result == NULL)
    return g_strdup (error->message);
  node = json_node_init_object (json_node_alloc (), result);
  return json_object_get_boolean_member (result, "valid") ? NULL : reeve_json_canonical (node);
}

static void
set_up (void)
{
  g_autoptr (ReeveLedger) ledger = NULL;
  g_autofree char *fault = NULL;

  state = g_dir_make_tmp ("reeve-fuzz-XXXXXX", NULL);
  atexit (clean_up);
  folder = g_build_filename (state, "ledger", NULL);
  keys = g_build_filename (state, "keys", NULL);
  ledger = reeve_ledger_new (folder, keys);
  reeve_ledger_set_segment_size (ledger, 4096);
  if (!reeve_ledger_open (ledger, NULL))
    abort ();
  append_all (ledger);
  reeve_ledger_close (ledger);
  files = g_ptr_array_new ();
  collect ("acme", ".log");
  collect (REEVE_SCOPE_PLATFORM, ".log");
  collect ("acme", "checkpoint");
  collect (REEVE_SCOPE_PLATFORM, "checkpoint");
  fault = find_fault ();
  if (files->len < 4 || fault != NULL)
    g_error ("%u files: %s", files->len, fault);
}

static void
change (File *file, guint what, gsize at, const uint8_t *bytes, gsize length)
{
  if (file->now == NULL)
    {
      file->now = g_byte_array_new ();
      g_byte_array_append (file->now, file->good->data, file->good->len);
    }
  at %= file->now->len + 1;
  switch (what % 4)
    {
    case 0:
      for (gsize i = 0; i < length && at + i < file->now->len; i++)
        file->now->data[at + i] ^= bytes[i];
      break;
    case 1:
      g_byte_array_set_size (file->now, (guint) at);
      break;
    case 2:
      g_byte_array_append (file->now, bytes, (guint) length);
      break;
    case 3:
    default:
      g_byte_array_remove_range (file->now, (guint) at, (guint) MIN (length, file->now->len - at));
      break;
    }
}

static void
write_file (const File *file, const GByteArray *content)
{
  FILE *out = fopen (file->path, "wb");

  if (out == NULL || fwrite (content->data, 1, content->len, out) != content->len
      || fclose (out) != 0)
    abort ();
}

/* Writes what was changed; TRUE when a segment is not what it was. */
static gboolean
write_changes (void)
{
  gboolean changed = FALSE;

  for (guint i = 0; i < files->len; i++)
    {
      File *file = g_ptr_array_index (files, i);

      if (file->now == NULL)
        continue;
      changed = changed
                || (g_str_has_suffix (file->path, ".log")
                    && (file->now->len != file->good->len
                        || memcmp (file->now->data, file->good->data, file->now->len) != 0));
      write_file (file, file->now);
    }
  return changed;
}

static void
restore (void)
{
  for (guint i = 0; i < files->len; i++)
    {
      File *file = g_ptr_array_index (files, i);

      if (file->now == NULL)
        continue;
      g_clear_pointer (&file->now, g_byte_array_unref);
      write_file (file, file->good);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  gboolean changed = FALSE;
  g_autofree char *fault = NULL;

  if (files == NULL)
    set_up ();
  for (guint n = 0; size >= 5 && n < MAX_CHANGES; n++)
    {
      gsize length = MIN ((gsize) data[4], size - 5);

      change (g_ptr_array_index (files, data[0] % files->len), data[1],
              (gsize) data[2] << 8 | data[3], data + 5, length);
      data += 5 + length;
      size -= 5 + length;
    }
  changed = write_changes ();
  fault = find_fault ();
  if (changed && fault == NULL)
    g_error ("the records of %s were changed, and nobody saw it", folder);
  restore ();
  return 0;
}
