/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads a module by the descriptor that was hashed (/proc/self/fd/N), so that nobody swaps the file
 * between check and load. A file that others may write to is copied first, into memory that nobody
 * changes any more, for what was hashed could be written over. */
#include "module.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digests.h"

#define REEVE_MODULE_MAX_TYPES 32
/* Linux 6.3; Debian 12's headers do not have it */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

struct _ReeveModule
{
  const ReevePluginDescriptor *descriptor;
  GType types[REEVE_MODULE_MAX_TYPES + 1];
};

static gboolean
reeve_module_verify (int fd, const char *path, const ReevePin *pin, GError **error)
{
  guint8 digest[REEVE_DIGESTS_LENGTH] = { 0 };
  g_autofree char *hex = NULL;

  if (!reeve_digests_sha256_fd (fd, digest, error))
    return FALSE;
  hex = reeve_digests_hex (digest, sizeof digest);
  if (reeve_digests_equal_text (hex, pin->module))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "%s is not the file this build pinned: its SHA-256 is %s, pinned is %s; rebuild, or "
               "restore the file",
               path, hex, pin->module);
  return FALSE;
}

/* What a later host reads there must be nothing in what was built before it. */
static gboolean
reeve_module_is_reserved (const ReevePluginDescriptor *descriptor)
{
  for (guint i = 0; i < G_N_ELEMENTS (descriptor->reserved); i++)
    {
      if (descriptor->reserved[i] != NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_module_check_layout (const ReevePluginDescriptor *descriptor, GError **error)
{
  if (descriptor->magic != REEVE_PLUGIN_MAGIC)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "descriptor: magic is 0x%08x, not 0x%08x",
                 descriptor->magic, REEVE_PLUGIN_MAGIC);
  else if (descriptor->struct_size != sizeof (ReevePluginDescriptor))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "descriptor: its size is %u, this host's %" G_GSIZE_FORMAT,
                 descriptor->struct_size, sizeof (ReevePluginDescriptor));
  else if (descriptor->abi_major != REEVE_API_MAJOR)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "descriptor: made for plugin interface %u.%u, this host has %u.%u: majors must be "
                 "equal",
                 descriptor->abi_major, descriptor->abi_minor, REEVE_API_MAJOR, REEVE_API_MINOR);
  else if (descriptor->abi_minor > REEVE_API_MINOR)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "descriptor: made for plugin interface %u.%u, newer than this host's %u.%u",
                 descriptor->abi_major, descriptor->abi_minor, REEVE_API_MAJOR, REEVE_API_MINOR);
  else if (!reeve_module_is_reserved (descriptor))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "descriptor: a reserved member is not zero: REEVE_DEFINE_PLUGIN leaves them so");
  else
    return TRUE;
  return FALSE;
}

static gboolean
reeve_module_check_manifest (const ReevePluginDescriptor *descriptor, ReeveManifest *manifest,
                             GError **error)
{
  guint major = 0;
  guint minor = 0;

  reeve_manifest_get_api (manifest, &major, &minor);
  if (g_strcmp0 (descriptor->id, reeve_manifest_get_id (manifest)) != 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "descriptor: its id is \"%s\", the manifest's \"%s\"",
                 descriptor->id != NULL ? descriptor->id : "", reeve_manifest_get_id (manifest));
  else if (g_strcmp0 (descriptor->version, reeve_manifest_get_version (manifest)) != 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "descriptor: its version is \"%s\", the manifest's \"%s\"",
                 descriptor->version != NULL ? descriptor->version : "",
                 reeve_manifest_get_version (manifest));
  else if (descriptor->abi_major != major || descriptor->abi_minor != minor)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "descriptor: plugin interface %u.%u, the manifest says %u.%u",
                 descriptor->abi_major, descriptor->abi_minor, major, minor);
  else if (descriptor->query_types == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "descriptor: query_types is NULL");
  else
    return TRUE;
  return FALSE;
}

/* dlopen() and not GModule, which would call a function of the plugin's choice
 * (g_module_check_init) before its descriptor was looked at. All symbols are bound at once, none is
 * seen by others, and the module stays: its types cannot be taken back. The dynamic loader knows a
 * library by its path and would take a second one of the same path for the first: so the descriptor
 * of what was loaded stays open for good, and its number is never used again. */
static const ReevePluginDescriptor *
reeve_module_open (int fd, const char *path, GError **error)
{
  g_autofree char *name = g_strdup_printf ("/proc/self/fd/%d", fd);
  void *module = dlopen (name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  void *symbol = NULL;

  if (module == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "loading %s: %s", path, dlerror ());
      close (fd);
      return NULL;
    }
  symbol = dlsym (module, REEVE_PLUGIN_SYMBOL);
  if (symbol == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   "%s exports no symbol " REEVE_PLUGIN_SYMBOL, path);
      return NULL;
    }
  return symbol;
}

static gboolean
reeve_module_query (ReeveModule *self, GError **error)
{
  const GType *types = self->descriptor->query_types ();

  for (guint i = 0; types != NULL && types[i] != G_TYPE_INVALID; i++)
    {
      if (i == REEVE_MODULE_MAX_TYPES)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "offers more than %d types",
                       REEVE_MODULE_MAX_TYPES);
          return FALSE;
        }
      if (!g_type_is_a (types[i], REEVE_TYPE_PLUGIN))
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "offers %s, which is no ReevePlugin",
                       g_type_name (types[i]) != NULL ? g_type_name (types[i]) : "an invalid type");
          return FALSE;
        }
      self->types[i] = types[i];
    }
  return TRUE;
}

/* Root could do as it likes anyway. */
static gboolean
reeve_module_is_writable (const struct stat *status)
{
  return status->st_uid != 0 || (status->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static gboolean
reeve_module_fill (int memory, int fd, gsize size)
{
  off_t at = 0;
  gssize sent = 1;

  while (at < (off_t) size && sent > 0)
    sent = sendfile (memory, fd, &at, size - (gsize) at);
  /* it became shorter meanwhile: what is there has another digest */
  return sent >= 0
         && fcntl (memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
                == 0;
}

/* (transfer full) of @fd: a copy, open for reading; -1 with errno. */
static int
reeve_module_copy (int fd, gsize size)
{
  int memory = memfd_create ("plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  g_autofree char *name = NULL;
  int copy = -1;
  int code = 0;

  if (memory < 0 && errno == EINVAL)
    memory = memfd_create ("plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory >= 0 && reeve_module_fill (memory, fd, size))
    {
      name = g_strdup_printf ("/proc/self/fd/%d", memory);
      copy = open (name, O_RDONLY | O_CLOEXEC);
    }
  code = errno;
  if (memory >= 0)
    close (memory);
  close (fd);
  errno = code;
  return copy;
}

/**
 * reeve_module_open_pinned:
 * @manifest: of the plugin
 * @pin: digests this build trusts
 * @error: return location for %REEVE_ERROR_PLUGIN
 *
 * Returns: its module, open for reading, or -1
 */
int
reeve_module_open_pinned (ReeveManifest *manifest, const ReevePin *pin, GError **error)
{
  const char *path = reeve_manifest_get_module (manifest);
  /* a link leads away from what was looked at, and nobody waits on a pipe */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
  int code = errno;
  struct stat status = { 0 };

  if (fd < 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "module %s: %s", path,
                   code == ELOOP ? "is a symbolic link" : g_strerror (code));
      return -1;
    }
  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "module %s: is no regular file", path);
  else
    {
      fd = reeve_module_is_writable (&status) ? reeve_module_copy (fd, (gsize) status.st_size) : fd;
      code = errno;
      if (fd < 0)
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "copying module %s: %s", path,
                     g_strerror (code));
      else if (reeve_module_verify (fd, path, pin, error))
        return fd;
    }
  if (fd >= 0)
    close (fd);
  return -1;
}

/**
 * reeve_module_load:
 * @manifest: of the plugin
 * @pin: digests this build trusts
 * @error: return location for %REEVE_ERROR_PLUGIN
 *
 * Returns: (transfer full) (nullable): the loaded module
 */
ReeveModule *
reeve_module_load (ReeveManifest *manifest, const ReevePin *pin, GError **error)
{
  int fd = reeve_module_open_pinned (manifest, pin, error);
  g_autoptr (ReeveModule) self = g_new0 (ReeveModule, 1);

  if (fd < 0)
    return NULL;
  self->descriptor = reeve_module_open (fd, reeve_manifest_get_module (manifest), error);
  if (self->descriptor == NULL || !reeve_module_check_layout (self->descriptor, error)
      || !reeve_module_check_manifest (self->descriptor, manifest, error)
      || !reeve_module_query (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * reeve_module_free:
 * @self: (transfer full): a module; its code stays in the process
 */
void
reeve_module_free (ReeveModule *self)
{
  g_free (self);
}

/**
 * reeve_module_find_type:
 * @self: a module
 * @iface: an interface type
 *
 * Returns: the first type on offer that implements @iface, or %G_TYPE_INVALID
 */
GType
reeve_module_find_type (ReeveModule *self, GType iface)
{
  for (guint i = 0; self->types[i] != G_TYPE_INVALID; i++)
    {
      if (g_type_is_a (self->types[i], iface))
        return self->types[i];
    }
  return G_TYPE_INVALID;
}
