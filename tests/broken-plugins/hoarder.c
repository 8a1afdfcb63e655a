/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin that is whole: it does what it is told to in the folder that capability `scratch` gives
 * it, and says how far it came. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "one-tool.h"

/* bytes that are written at once */
#define HOARDER_BLOCK (1024 * 1024)
/* letters of a folder's name */
#define HOARDER_NAME 200
/* What is done, and what came of it. */
typedef struct
{
  JsonObject *arguments;
  JsonObject *answer;
  const char *folder; /* of the call */
  ReeveContext *context;
} HoarderCall;

static char *
hoarder_dup_path (const HoarderCall *call)
{
  return g_build_filename (call->folder, reeve_json_get_string (call->arguments, "name", "file"),
                           NULL);
}

static void
hoarder_list (const HoarderCall *call, const char *member, const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  JsonArray *names = json_array_new ();
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    json_array_add_string_element (names, name);
  json_object_set_array_member (call->answer, member, names);
}

/* What lies in the folder, and beside it. */
static int
hoarder_look (const HoarderCall *call)
{
  g_autofree char *above = g_path_get_dirname (call->folder);

  hoarder_list (call, "names", call->folder);
  hoarder_list (call, "beside", above);
  return 0;
}

/* So many MiB into one file, as many as fit. */
static int
hoarder_write (const HoarderCall *call)
{
  g_autofree char *path = hoarder_dup_path (call);
  g_autofree char *block = g_malloc0 (HOARDER_BLOCK);
  gint64 amount = reeve_json_get_int (call->arguments, "amount", 1);
  int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  int code = fd < 0 ? errno : 0;
  gint64 written = 0;

  while (code == 0 && written < amount)
    {
      if (write (fd, block, HOARDER_BLOCK) == HOARDER_BLOCK)
        written++;
      else
        code = errno != 0 ? errno : ENOSPC;
      errno = 0;
    }
  if (fd >= 0)
    close (fd);
  json_object_set_int_member (call->answer, "written", written);
  return code;
}

/* So many files with nothing in them, as many as there may be. */
static int
hoarder_flood (const HoarderCall *call)
{
  gint64 amount = reeve_json_get_int (call->arguments, "amount", 1);
  gint64 n = 0;
  int code = 0;

  while (code == 0 && n < amount)
    {
      g_autofree char *path = g_strdup_printf ("%s/%" G_GINT64_FORMAT, call->folder, n);
      int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

      code = fd < 0 ? errno : 0;
      if (fd >= 0)
        close (fd);
      n += fd >= 0 ? 1 : 0;
    }
  json_object_set_int_member (call->answer, "written", n);
  return code;
}

/* A file of which nothing is written. */
static int
hoarder_stretch (const HoarderCall *call)
{
  g_autofree char *path = hoarder_dup_path (call);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int code = fd < 0 ? errno : 0;

  if (fd >= 0 && ftruncate (fd, reeve_json_get_int (call->arguments, "amount", 1)) != 0)
    code = errno;
  if (fd >= 0)
    close (fd);
  return code;
}

/* What programs do with files that go again. */
static int
hoarder_work (const HoarderCall *call)
{
  g_autofree char *folder = g_build_filename (call->folder, "folder", NULL);
  g_autofree char *first = g_build_filename (folder, "first", NULL);
  g_autofree char *second = g_build_filename (call->folder, "second", NULL);
  g_autofree char *read = NULL;
  struct stat status = { 0 };
  gboolean good
      = mkdir (folder, 0700) == 0
        && g_file_set_contents_full (first, "kept", 4, G_FILE_SET_CONTENTS_NONE, 0600, NULL)
        && rename (first, second) == 0 && g_file_get_contents (second, &read, NULL, NULL)
        && strcmp (read, "kept") == 0 && truncate (second, 2) == 0 && stat (second, &status) == 0
        && status.st_size == 2 && unlink (second) == 0 && rmdir (folder) == 0;

  return good ? 0 : errno;
}

/* (transfer full) (nullable): path of a copy of a library in the folder */
static char *
hoarder_copy_library (const HoarderCall *call)
{
  g_autofree char *path = g_build_filename (call->folder, "library.so", NULL);
  g_autofree char *bytes = NULL;
  gsize length = 0;
  Dl_info info = { 0 };

  if (dladdr ((gpointer) g_strdup, &info) == 0
      || !g_file_get_contents (info.dli_fname, &bytes, &length, NULL))
    return NULL;
  return g_file_set_contents_full (path, bytes, (gssize) length, G_FILE_SET_CONTENTS_NONE, 0700,
                                   NULL)
             ? g_steal_pointer (&path)
             : NULL;
}

/* Code out of the folder: how each way ends is a number. */
static int
hoarder_execute (const HoarderCall *call)
{
  g_autofree char *path = hoarder_copy_library (call);
  char *const arguments[] = { path, NULL };
  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  void *memory = MAP_FAILED;
  void *library = NULL;

  if (fd < 0)
    return errno != 0 ? errno : ENOENT;
  memory = mmap (NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  json_object_set_int_member (call->answer, "map", memory == MAP_FAILED ? errno : 0);
  memory = mmap (NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  json_object_set_int_member (
      call->answer, "protect",
      memory != MAP_FAILED && mprotect (memory, 4096, PROT_READ | PROT_EXEC) == 0 ? 0 : errno);
  close (fd);
  library = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  json_object_set_boolean_member (call->answer, "loaded", library != NULL);
  json_object_set_int_member (call->answer, "execute",
                              execve (path, arguments, arguments + 1) != 0 ? errno : 0);
  return 0;
}

/* Stays so many milliseconds, and says whether its file is there yet. */
static int
hoarder_stay (const HoarderCall *call)
{
  g_autofree char *path = hoarder_dup_path (call);
  gint64 until = g_get_monotonic_time () + reeve_json_get_int (call->arguments, "amount", 1) * 1000;

  if (!g_file_set_contents_full (path, "kept", 4, G_FILE_SET_CONTENTS_NONE, 0600, NULL))
    return errno;
  while (g_get_monotonic_time () < until && reeve_context_check (call->context, NULL))
    g_usleep (5000);
  hoarder_look (call);
  return access (path, F_OK) == 0 ? 0 : errno;
}

/* So many files of a MiB each, and stays until it is ended. */
static int
hoarder_fill (const HoarderCall *call)
{
  g_autofree char *block = g_malloc0 (HOARDER_BLOCK);

  for (gint64 i = 0; i < reeve_json_get_int (call->arguments, "amount", 1) * 2; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/fill-%" G_GINT64_FORMAT, call->folder, i);

      if (!g_file_set_contents_full (path, block, HOARDER_BLOCK, G_FILE_SET_CONTENTS_NONE, 0600,
                                     NULL))
        return errno;
    }
  while (reeve_context_check (call->context, NULL))
    g_usleep (5000);
  return 0;
}

/* Many files, and stays. */
static int
hoarder_linger (const HoarderCall *call)
{
  int code = hoarder_flood (call);

  while (code == 0 && reeve_context_check (call->context, NULL))
    g_usleep (5000);
  return code;
}

/* So many folders in one another, longer together than a path can be, a file in each; and
 * stays where it is told to. */
static int
hoarder_dig (const HoarderCall *call)
{
  g_autofree char *name = g_strnfill (HOARDER_NAME, 'd');
  gint64 amount = reeve_json_get_int (call->arguments, "amount", 1);
  int at = open (call->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int code = at < 0 ? errno : 0;

  for (gint64 i = 0; i < amount && code == 0; i++)
    {
      int file = openat (at, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0);
      int next = mkdirat (at, name, 0700) == 0
                     ? openat (at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                     : -1;

      code = file < 0 || next < 0 ? errno : 0;
      if (file >= 0)
        close (file);
      close (at);
      at = next;
    }
  if (at >= 0)
    close (at);
  while (code == 0 && reeve_json_get_int (call->arguments, "stay", 0) != 0
         && reeve_context_check (call->context, NULL))
    g_usleep (5000);
  return code;
}

/* Opens any path, to be read, and to be written. */
static int
hoarder_open (const HoarderCall *call)
{
  const char *path = reeve_json_get_string (call->arguments, "path", "");
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  int code = fd < 0 ? errno : 0;

  if (fd >= 0)
    close (fd);
  fd = open (path, O_WRONLY | O_CLOEXEC);
  json_object_set_int_member (call->answer, "write", fd < 0 ? errno : 0);
  if (fd >= 0)
    close (fd);
  return code;
}

static const struct
{
  const char *name;
  int (*perform) (const HoarderCall *call);
} hoarder_ways[] = { { "look", hoarder_look },   { "write", hoarder_write },
                     { "flood", hoarder_flood }, { "stretch", hoarder_stretch },
                     { "work", hoarder_work },   { "execute", hoarder_execute },
                     { "fill", hoarder_fill },   { "linger", hoarder_linger },
                     { "dig", hoarder_dig },     { "stay", hoarder_stay },
                     { "open", hoarder_open } };

/* {what, …}: {path, bytes, code: the number of the error or 0, …} or {error} */
static ReeveToolResult *
one_tool_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
               GError **error)
{
  g_autoptr (JsonNode) params = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonNode) given = NULL;
  g_autoptr (GError) problem = NULL;
  g_autofree char *text = NULL;
  const char *what = reeve_json_get_string (arguments, "what", "");
  HoarderCall call = { .arguments = arguments, .answer = json_object_new (), .context = context };

  json_node_take_object (node, call.answer);
  json_node_take_object (params, json_object_new ());
  given = reeve_context_call (context, "scratch", params, &problem);
  if (given == NULL)
    json_object_set_string_member (call.answer, "error", problem->message);
  else
    {
      int code = -1;

      call.folder = reeve_json_get_string (json_node_get_object (given), "path", "");
      json_object_set_string_member (call.answer, "path", call.folder);
      json_object_set_int_member (call.answer, "bytes",
                                  reeve_json_get_int (json_node_get_object (given), "bytes", 0));
      for (guint i = 0; i < G_N_ELEMENTS (hoarder_ways); i++)
        {
          if (strcmp (hoarder_ways[i].name, what) == 0)
            code = hoarder_ways[i].perform (&call);
        }
      json_object_set_int_member (call.answer, "code", code);
    }
  text = reeve_json_text (node);
  return reeve_tool_result_new (text, NULL, FALSE);
}

ONE_TOOL_PLUGIN (BROKEN_FOLDER);
