/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much plugins transfer at once: each of them, and all together. */
#include "loader/byte-room.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/wire-buffer.h"

static ReeveByteHold *
take (ReeveByteRoom *room, const char *plugin_id, guint64 bytes)
{
  g_autoptr (GError) error = NULL;
  ReeveByteHold *hold = reeve_byte_room_take (room, plugin_id, (gsize) bytes, &error);

  g_assert_no_error (error);
  g_assert_true (hold != NULL);
  return hold;
}

static void
refuse (ReeveByteRoom *room, const char *plugin_id, guint64 bytes, const char *why)
{
  g_autoptr (GError) error = NULL;
  ReeveByteHold *hold = reeve_byte_room_take (room, plugin_id, (gsize) bytes, &error);

  g_assert_null (hold);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, why));
}

static void
test_plugin (void)
{
  g_autoptr (ReeveByteRoom) room = reeve_byte_room_new ();
  ReeveByteHold *first = take (room, "one", REEVE_BYTE_ROOM_PLUGIN - 1);
  ReeveByteHold *second = take (room, "one", 1);

  refuse (room, "one", 1, "plugin one holds 268435456 at most");
  refuse (room, "two", REEVE_BYTE_ROOM_PLUGIN + 1, "plugin two");
  refuse (room, "two", G_MAXUINT64, "all plugins");
  /* of nothing there is always room */
  reeve_byte_room_give (take (room, "one", 0));
  reeve_byte_room_give (take (room, "two", REEVE_BYTE_ROOM_PLUGIN));
  reeve_byte_room_give (second);
  reeve_byte_room_give (take (room, "one", 1));
  refuse (room, "one", 2, "plugin one");
  reeve_byte_room_give (first);
  reeve_byte_room_give (take (room, "one", REEVE_BYTE_ROOM_PLUGIN));
}

static void
test_all (void)
{
  g_autoptr (ReeveByteRoom) room = reeve_byte_room_new ();
  ReeveByteHold *holds[REEVE_BYTE_ROOM_ALL / REEVE_BYTE_ROOM_PLUGIN];

  for (guint i = 0; i < G_N_ELEMENTS (holds); i++)
    {
      g_autofree char *id = g_strdup_printf ("plugin-%u", i);

      holds[i] = take (room, id, REEVE_BYTE_ROOM_PLUGIN);
    }
  refuse (room, "late", 1, "all plugins hold 1073741824 at most");
  reeve_byte_room_give (holds[0]);
  reeve_byte_room_give (take (room, "late", REEVE_BYTE_ROOM_PLUGIN));
  for (guint i = 1; i < G_N_ELEMENTS (holds); i++)
    reeve_byte_room_give (holds[i]);
}

/* What a runner wrote is copied, and nothing is left of the memory, whoever has a descriptor. */
static void
test_buffer (void)
{
  g_autoptr (ReeveByteRoom) room = reeve_byte_room_new ();
  g_autoptr (GError) error = NULL;
  ReeveWireBuffer *buffer = reeve_wire_buffer_new (room, "one", 100, &error);
  int lent = reeve_wire_buffer_lend (buffer);
  struct stat status = { 0 };
  GBytes *bytes = NULL;

  g_assert_no_error (error);
  g_assert_cmpint (pwrite (lent, "abc", 3, 97), ==, 3);
  /* it grows no more */
  g_assert_cmpint (ftruncate (lent, 101), !=, 0);
  bytes = reeve_wire_buffer_copy (buffer, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 100);
  g_assert_cmpint (memcmp ((const char *) g_bytes_get_data (bytes, NULL) + 97, "abc", 3), ==, 0);
  g_assert_cmpint (fstat (lent, &status), ==, 0);
  g_assert_cmpint (status.st_size, ==, 0);
  close (lent);
  /* as long as the copy is there it counts */
  refuse (room, "one", REEVE_BYTE_ROOM_PLUGIN - 99, "plugin one");
  g_bytes_unref (bytes);
  reeve_byte_room_give (take (room, "one", REEVE_BYTE_ROOM_PLUGIN));
}

static void
test_buffer_cut (void)
{
  g_autoptr (ReeveByteRoom) room = reeve_byte_room_new ();
  g_autoptr (GError) error = NULL;
  ReeveWireBuffer *buffer = reeve_wire_buffer_new (room, "one", 100, &error);
  int lent = reeve_wire_buffer_lend (buffer);

  g_assert_no_error (error);
  /* a runner's own harm */
  g_assert_cmpint (ftruncate (lent, 50), ==, 0);
  close (lent);
  g_assert_null (reeve_wire_buffer_copy (buffer, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_FAILED);
  reeve_byte_room_give (take (room, "one", REEVE_BYTE_ROOM_PLUGIN));
}

static void
test_buffer_sizes (void)
{
  static const guint64 sizes[] = { 0, REEVE_BYTE_ROOM_ONE + 1, G_MAXUINT64 };
  g_autoptr (ReeveByteRoom) room = reeve_byte_room_new ();

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (reeve_wire_buffer_new (room, "one", sizes[i], &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
    }
  reeve_byte_room_give (take (room, "one", REEVE_BYTE_ROOM_PLUGIN));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/byte-room/plugin", test_plugin);
  g_test_add_func ("/byte-room/all", test_all);
  g_test_add_func ("/byte-room/buffer", test_buffer);
  g_test_add_func ("/byte-room/buffer/cut", test_buffer_cut);
  g_test_add_func ("/byte-room/buffer/sizes", test_buffer_sizes);
  return g_test_run ();
}
