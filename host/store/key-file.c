/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*     reeve-keys 1
 *     master 0123456789abcdef
 *     tenant:acme:v1:aes-256-gcm:BASE64
 *     tenant:acme:v2:aes-256-gcm:BASE64
 *
 * While the master key is changed there are two such parts. Each seal holds to the label and the
 * number of its key, so that lines cannot change places, nor files. */
#include "key-file.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "base/digests.h"

#define REEVE_KEY_FILE_HEAD   "reeve-keys 1"
#define REEVE_KEY_FILE_MASTER "master "
/* digits of a master key's id */
#define REEVE_KEY_FILE_ID 16
/* a private key in PEM is the longest secret there is */
#define REEVE_KEY_FILE_MAX_SECRET 4096

static void
reeve_key_file_entry_free (gpointer data)
{
  ReeveKeyFileEntry *entry = data;

  g_free (entry->master);
  g_free (entry->sealed);
  g_free (entry);
}

/**
 * reeve_key_file_new:
 * @label: key ids without their version
 *
 * Returns: (transfer full): a file without keys
 */
ReeveKeyFile *
reeve_key_file_new (const char *label)
{
  ReeveKeyFile *self = g_new0 (ReeveKeyFile, 1);

  self->label = g_strdup (label);
  self->entries = g_ptr_array_new_with_free_func (reeve_key_file_entry_free);
  return self;
}

/**
 * reeve_key_file_free:
 * @self: (transfer full): a file
 */
void
reeve_key_file_free (ReeveKeyFile *self)
{
  g_free (self->label);
  g_ptr_array_unref (self->entries);
  g_free (self);
}

static ReeveKeyFileEntry *
reeve_key_file_find (ReeveKeyFile *self, const char *master, guint32 number)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      ReeveKeyFileEntry *entry = g_ptr_array_index (self->entries, i);

      if (entry->number == number && strcmp (entry->master, master) == 0)
        return entry;
    }
  return NULL;
}

static int
reeve_key_file_compare (gconstpointer a, gconstpointer b)
{
  const ReeveKeyFileEntry *left = *(const ReeveKeyFileEntry *const *) a;
  const ReeveKeyFileEntry *right = *(const ReeveKeyFileEntry *const *) b;
  int order = strcmp (left->master, right->master);

  return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

/* (transfer full) sealed */
static gboolean
reeve_key_file_add (ReeveKeyFile *self, const char *master, guint32 number, char *sealed)
{
  ReeveKeyFileEntry *entry = NULL;

  if (reeve_key_file_find (self, master, number) != NULL)
    {
      g_free (sealed);
      return FALSE;
    }
  entry = g_new0 (ReeveKeyFileEntry, 1);
  entry->master = g_strdup (master);
  entry->number = number;
  entry->sealed = sealed;
  g_ptr_array_add (self->entries, entry);
  g_ptr_array_sort (self->entries, reeve_key_file_compare);
  return TRUE;
}

/* ---- text ---- */

static gboolean
reeve_key_file_is_algorithm (const char *name)
{
  return strcmp (name, REEVE_KEY_FILE_ALGORITHM) == 0 || strcmp (name, "aes-gcm") == 0;
}

/* `v<n>`, one spelling only; 0 when it is not */
static guint32
reeve_key_file_parse_version (const char *text)
{
  guint64 number = 0;

  if (text[0] != 'v' || text[1] == '0' || strlen (text) > 11
      || !g_ascii_string_to_unsigned (text + 1, 10, 1, G_MAXUINT32, &number, NULL))
    return 0;
  return (guint32) number;
}

/* From the right: a key id has colons of its own. */
static gboolean
reeve_key_file_parse_line (ReeveKeyFile *self, const char *master, char *line)
{
  char *parts[3] = { NULL };
  guint32 number = 0;

  /* ciphertext, algorithm, version */
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      char *colon = strrchr (line, ':');

      if (colon == NULL)
        return FALSE;
      *colon = '\0';
      parts[i] = colon + 1;
    }
  number = reeve_key_file_parse_version (parts[2]);
  return master != NULL && strcmp (line, self->label) == 0 && number != 0
         && reeve_key_file_is_algorithm (parts[1]) && *parts[0] != '\0'
         && reeve_key_file_add (self, master, number, g_strdup (parts[0]));
}

static gboolean
reeve_key_file_parse_master (const char *line, const char **master)
{
  if (!g_str_has_prefix (line, REEVE_KEY_FILE_MASTER))
    return FALSE;
  *master = line + strlen (REEVE_KEY_FILE_MASTER);
  return TRUE;
}

static gboolean
reeve_key_file_parse_lines (ReeveKeyFile *self, char **lines)
{
  const char *master = NULL;

  if (lines[0] == NULL || strcmp (lines[0], REEVE_KEY_FILE_HEAD) != 0)
    return FALSE;
  for (guint i = 1; lines[i] != NULL; i++)
    {
      /* behind the last line end */
      if (*lines[i] == '\0' && lines[i + 1] == NULL)
        break;
      if (reeve_key_file_parse_master (lines[i], &master))
        {
          if (strlen (master) != REEVE_KEY_FILE_ID
              || strspn (master, "0123456789abcdef") != REEVE_KEY_FILE_ID)
            return FALSE;
        }
      else if (!reeve_key_file_parse_line (self, master, lines[i]))
        return FALSE;
    }
  return self->entries->len > 0;
}

/**
 * reeve_key_file_parse:
 * @label: whose keys they must be
 * @text: content of a file
 * @length: its bytes
 * @error: return location
 *
 * Returns: (transfer full): its keys, still sealed; %NULL with %REEVE_ERROR_CORRUPT
 */
ReeveKeyFile *
reeve_key_file_parse (const char *label, const char *text, gsize length, GError **error)
{
  g_autoptr (ReeveKeyFile) self = reeve_key_file_new (label);
  g_autofree char *copy = NULL;
  g_auto (GStrv) lines = NULL;

  if (length > 0 && length <= REEVE_KEY_FILE_MAX_SIZE && memchr (text, '\0', length) == NULL)
    {
      copy = g_strndup (text, length);
      lines = g_strsplit (copy, "\n", -1);
    }
  if (lines != NULL && reeve_key_file_parse_lines (self, lines))
    return g_steal_pointer (&self);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "it does not hold the keys of %s", label);
  return NULL;
}

/**
 * reeve_key_file_format:
 * @self: a file
 *
 * Returns: (transfer full): its content
 */
char *
reeve_key_file_format (ReeveKeyFile *self)
{
  GString *text = g_string_new (REEVE_KEY_FILE_HEAD "\n");
  const char *master = "";

  for (guint i = 0; i < self->entries->len; i++)
    {
      const ReeveKeyFileEntry *entry = g_ptr_array_index (self->entries, i);

      if (strcmp (entry->master, master) != 0)
        g_string_append_printf (text, REEVE_KEY_FILE_MASTER "%s\n", entry->master);
      master = entry->master;
      g_string_append_printf (text, "%s:v%u:%s:%s\n", self->label, entry->number,
                              REEVE_KEY_FILE_ALGORITHM, entry->sealed);
    }
  return g_string_free (text, FALSE);
}

/* ---- keys ---- */

/**
 * reeve_key_file_get_newest:
 * @self: a file
 * @master: id of a master key
 *
 * Returns: the highest number under it; 0 for none
 */
guint32
reeve_key_file_get_newest (ReeveKeyFile *self, const char *master)
{
  guint32 newest = 0;

  for (guint i = 0; i < self->entries->len; i++)
    {
      const ReeveKeyFileEntry *entry = g_ptr_array_index (self->entries, i);

      if (strcmp (entry->master, master) == 0)
        newest = MAX (newest, entry->number);
    }
  return newest;
}

/* What a seal holds to. */
static char *
reeve_key_file_bind (ReeveKeyFile *self, guint32 number)
{
  return g_strdup_printf ("dek|%s|%u", self->label, number);
}

/**
 * reeve_key_file_seal:
 * @self: a file
 * @master: a master key
 * @number: of the key; not there yet
 * @data: the key
 * @length: its bytes
 * @error: return location
 *
 * Adds a key.
 *
 * Returns: %FALSE with an error of GnuTLS
 */
gboolean
reeve_key_file_seal (ReeveKeyFile *self, ReeveMasterKey *master, guint32 number, gconstpointer data,
                     gsize length, GError **error)
{
  g_autofree char *bound = reeve_key_file_bind (self, number);
  char *sealed = reeve_master_key_seal (master, bound, data, length, error);

  return sealed != NULL
         && reeve_key_file_add (self, reeve_master_key_get_id (master), number, sealed);
}

/**
 * reeve_key_file_unseal:
 * @self: a file
 * @master: a master key
 * @number: of a key
 * @data: (out caller-allocates): the key
 * @size: bytes that fit there
 * @error: return location
 *
 * Returns: its bytes; -1 with %REEVE_ERROR_NOT_FOUND where @master has sealed no such key, or
 * %REEVE_ERROR_CORRUPT
 */
gssize
reeve_key_file_unseal (ReeveKeyFile *self, ReeveMasterKey *master, guint32 number, gpointer data,
                       gsize size, GError **error)
{
  const ReeveKeyFileEntry *entry
      = reeve_key_file_find (self, reeve_master_key_get_id (master), number);
  g_autofree char *bound = reeve_key_file_bind (self, number);
  gssize length = -1;

  if (entry == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
                   "there is no key %s:v%u under master key %s", self->label, number,
                   reeve_master_key_get_id (master));
      return -1;
    }
  length = reeve_master_key_unseal (master, bound, entry->sealed, data, size, error);
  if (length < 0)
    g_prefix_error (error, "key %s:v%u is damaged: ", self->label, number);
  return length;
}

/**
 * reeve_key_file_keep_number:
 * @self: a file
 * @number: of a key
 *
 * Takes out every other key.
 */
void
reeve_key_file_keep_number (ReeveKeyFile *self, guint32 number)
{
  for (guint i = self->entries->len; i > 0; i--)
    if (((ReeveKeyFileEntry *) g_ptr_array_index (self->entries, i - 1))->number != number)
      g_ptr_array_remove_index (self->entries, i - 1);
}

/**
 * reeve_key_file_keep_master:
 * @self: a file
 * @master: id of a master key
 *
 * Takes out what others have sealed.
 *
 * Returns: whether anything was
 */
gboolean
reeve_key_file_keep_master (ReeveKeyFile *self, const char *master)
{
  guint before = self->entries->len;

  for (guint i = before; i > 0; i--)
    if (strcmp (((ReeveKeyFileEntry *) g_ptr_array_index (self->entries, i - 1))->master, master)
        != 0)
      g_ptr_array_remove_index (self->entries, i - 1);
  return self->entries->len != before;
}

/**
 * reeve_key_file_rewrap:
 * @self: a file
 * @from: the master key by which all is sealed
 * @to: the one by which it shall be too
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when a key cannot be unsealed by @from
 */
gboolean
reeve_key_file_rewrap (ReeveKeyFile *self, ReeveMasterKey *from, ReeveMasterKey *to, GError **error)
{
  guint8 secret[REEVE_KEY_FILE_MAX_SECRET];
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint32));
  gboolean ok = TRUE;

  for (guint i = 0; i < self->entries->len; i++)
    {
      const ReeveKeyFileEntry *entry = g_ptr_array_index (self->entries, i);

      if (strcmp (entry->master, reeve_master_key_get_id (from)) == 0)
        g_array_append_val (numbers, entry->number);
    }
  /* what an earlier try left may be of an older state */
  reeve_key_file_keep_master (self, reeve_master_key_get_id (from));
  for (guint i = 0; ok && i < numbers->len; i++)
    {
      guint32 number = g_array_index (numbers, guint32, i);
      gssize length = reeve_key_file_unseal (self, from, number, secret, sizeof secret, error);

      ok = length >= 0 && reeve_key_file_seal (self, to, number, secret, (gsize) length, error);
    }
  explicit_bzero (secret, sizeof secret);
  return ok;
}
