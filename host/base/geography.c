/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Countries of addresses.
 *
 * libmaxminddb maps the file that it is given, and a mapped file that somebody cuts short ends the
 * process. So the file is copied into memory that nobody can change any more, and that is what is
 * mapped. Its tree is walked once: a damaged one never takes the place of a good one. */
#include "geography.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <reeve-error.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* larger than any database of countries or cities there is */
#define REEVE_GEOGRAPHY_MAX ((goffset) 512 * 1024 * 1024)

/* one file, as it was read */
typedef struct
{
  gatomicrefcount references;
  MMDB_s mmdb;
} ReeveGeographyPage;

struct _ReeveGeography
{
  char *path;
  GMutex mutex;
  ReeveGeographyPage *page;
  struct stat loaded;
  struct stat seen;
};

/* ISO 3166-1 alpha-2 as of 2025, one after the other, and XK */
static const char reeve_geography_countries[]
    = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCL"
      "CMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGU"
      "GWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMC"
      "MDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPT"
      "PWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUA"
      "UGUMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";

/**
 * reeve_geography_is_country:
 * @text: any text
 *
 * A wrong code in a list of countries that are refused would refuse nobody.
 *
 * Returns: whether it is the code of a country
 */
gboolean
reeve_geography_is_country (const char *text)
{
  if (strlen (text) != 2)
    return FALSE;
  for (gsize i = 0; i + 1 < sizeof reeve_geography_countries; i += 2)
    if (memcmp (reeve_geography_countries + i, text, 2) == 0)
      return TRUE;
  return FALSE;
}

/* ---- one file ---- */

static void
reeve_geography_page_unref (ReeveGeographyPage *page)
{
  if (!g_atomic_ref_count_dec (&page->references))
    return;
  MMDB_close (&page->mmdb);
  g_free (page);
}

static gboolean
reeve_geography_fail (GError **error, const char *what)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, what);
  return FALSE;
}

static void
reeve_geography_close (int fd)
{
  if (fd >= 0)
    close (fd);
}

static gboolean
reeve_geography_copy (int from, int to, goffset size, GError **error)
{
  g_autofree char *buffer = g_malloc (65536);

  while (size > 0)
    {
      gssize n = read (from, buffer, (gsize) MIN (size, 65536));

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return reeve_geography_fail (error, n < 0 ? g_strerror (errno)
                                                  : "it became shorter while it was read");
      for (gssize done = 0; done < n;)
        {
          gssize m = write (to, buffer + done, (gsize) (n - done));

          if (m < 0 && errno != EINTR)
            return reeve_geography_fail (error, g_strerror (errno));
          done += MAX (m, 0);
        }
      size -= n;
    }
  return TRUE;
}

/* A descriptor of memory with the first @size bytes, which nobody changes; -1 with an error. */
static int
reeve_geography_seal (int from, goffset size, GError **error)
{
  int copy = memfd_create ("geography", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (copy < 0)
    reeve_geography_fail (error, g_strerror (errno));
  else if (reeve_geography_copy (from, copy, size, error))
    {
      if (fcntl (copy, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
        return copy;
      reeve_geography_fail (error, g_strerror (errno));
    }
  reeve_geography_close (copy);
  return -1;
}

/* The same of a file. */
static int
reeve_geography_read (const char *path, struct stat *status, GError **error)
{
  int from = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  int copy = -1;

  if (from < 0 || fstat (from, status) != 0)
    reeve_geography_fail (error, g_strerror (errno));
  else if (!S_ISREG (status->st_mode))
    reeve_geography_fail (error, "it is no plain file");
  else if (status->st_size > REEVE_GEOGRAPHY_MAX)
    reeve_geography_fail (error, "it is larger than 512 MiB");
  else
    copy = reeve_geography_seal (from, status->st_size, error);
  reeve_geography_close (from);
  return copy;
}

/* The record of a network, where there is one, can be read. Many networks share one: @known. */
static gboolean
reeve_geography_is_entry_good (const MMDB_s *mmdb, guint8 type, MMDB_entry_s entry,
                               GHashTable *known)
{
  MMDB_entry_data_s data = { 0 };
  int status = MMDB_SUCCESS;

  if (type != MMDB_RECORD_TYPE_DATA)
    return type != MMDB_RECORD_TYPE_INVALID;
  if (!g_hash_table_add (known, GUINT_TO_POINTER (entry.offset)))
    return TRUE;
  entry.mmdb = mmdb;
  status = MMDB_get_value (&entry, &data, "country", "iso_code", NULL);
  return status == MMDB_SUCCESS || status == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR;
}

static gboolean
reeve_geography_is_good (const MMDB_s *mmdb)
{
  g_autoptr (GHashTable) known = g_hash_table_new (NULL, NULL);
  MMDB_search_node_s node = { 0 };

  for (guint32 i = 0; i < mmdb->metadata.node_count; i++)
    if (MMDB_read_node (mmdb, i, &node) != MMDB_SUCCESS
        || !reeve_geography_is_entry_good (mmdb, node.left_record_type, node.left_record_entry,
                                           known)
        || !reeve_geography_is_entry_good (mmdb, node.right_record_type, node.right_record_entry,
                                           known))
      return FALSE;
  return TRUE;
}

/* (nullable) */
static ReeveGeographyPage *
reeve_geography_page_new (const char *path, struct stat *status, GError **error)
{
  int copy = reeve_geography_read (path, status, error);
  g_autofree char *name = g_strdup_printf ("/proc/self/fd/%d", copy);
  ReeveGeographyPage *page = g_new0 (ReeveGeographyPage, 1);
  int opened = copy < 0 ? MMDB_FILE_OPEN_ERROR : MMDB_open (name, MMDB_MODE_MMAP, &page->mmdb);

  g_atomic_ref_count_init (&page->references);
  if (opened == MMDB_SUCCESS && reeve_geography_is_good (&page->mmdb))
    {
      reeve_geography_close (copy);
      return page;
    }
  if (opened == MMDB_SUCCESS)
    {
      reeve_geography_fail (error, "its tree is damaged");
      reeve_geography_page_unref (page);
    }
  else
    {
      if (copy >= 0)
        reeve_geography_fail (error, MMDB_strerror (opened));
      g_free (page);
    }
  reeve_geography_close (copy);
  return NULL;
}

/* ---- the file that there is ---- */

/**
 * reeve_geography_new:
 * @path: of a database
 * @error: return location
 *
 * Returns: (transfer full): the database; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
ReeveGeography *
reeve_geography_new (const char *path, GError **error)
{
  g_autoptr (ReeveGeography) self = g_new0 (ReeveGeography, 1);

  g_mutex_init (&self->mutex);
  self->path = g_strdup (path);
  return reeve_geography_reload (self, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * reeve_geography_free:
 * @self: (transfer full): a database
 */
void
reeve_geography_free (ReeveGeography *self)
{
  g_clear_pointer (&self->page, reeve_geography_page_unref);
  g_mutex_clear (&self->mutex);
  g_free (self->path);
  g_free (self);
}

/**
 * reeve_geography_reload:
 * @self: a database
 * @error: return location
 *
 * Reads the file again.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT: nothing has changed
 */
gboolean
reeve_geography_reload (ReeveGeography *self, GError **error)
{
  struct stat status = { 0 };
  ReeveGeographyPage *page = reeve_geography_page_new (self->path, &status, error);
  ReeveGeographyPage *before = NULL;

  g_mutex_lock (&self->mutex);
  self->loaded = status; /* a bad file is not read again and again */
  before = page != NULL ? self->page : NULL;
  if (page != NULL)
    self->page = page;
  g_mutex_unlock (&self->mutex);
  g_clear_pointer (&before, reeve_geography_page_unref);
  if (page == NULL)
    g_prefix_error (error, "reading %s: ", self->path);
  return page != NULL;
}

/**
 * reeve_geography_check:
 * @self: a database
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT when reeve_geography_reload() would fail now
 */
gboolean
reeve_geography_check (ReeveGeography *self, GError **error)
{
  struct stat status = { 0 };
  ReeveGeographyPage *page = reeve_geography_page_new (self->path, &status, error);
  gboolean good = page != NULL;

  g_clear_pointer (&page, reeve_geography_page_unref);
  if (!good)
    g_prefix_error (error, "reading %s: ", self->path);
  return good;
}

static gboolean
reeve_geography_is_same (const struct stat *a, const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size
         && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/**
 * reeve_geography_has_news:
 * @self: a database
 *
 * A file that is being written is not read before it was left alone for a while.
 *
 * Returns: whether reeve_geography_reload() would find another file
 */
gboolean
reeve_geography_has_news (ReeveGeography *self)
{
  struct stat now = { 0 };
  gboolean news = FALSE;

  if (stat (self->path, &now) != 0)
    memset (&now, 0, sizeof now);
  g_mutex_lock (&self->mutex);
  news = !reeve_geography_is_same (&now, &self->loaded)
         && reeve_geography_is_same (&now, &self->seen);
  self->seen = now;
  g_mutex_unlock (&self->mutex);
  return news;
}

static ReeveGeographyPage *
reeve_geography_get_page (ReeveGeography *self)
{
  ReeveGeographyPage *page = NULL;

  g_mutex_lock (&self->mutex);
  page = self->page;
  g_atomic_ref_count_inc (&page->references);
  g_mutex_unlock (&self->mutex);
  return page;
}

/* ---- addresses ---- */

/* The tree holds IPv4 below ::/96, so that an IPv6 address in there, which nobody has, would be
 * taken for one of IPv4: it is in no country. One of IPv4 that came through a translator
 * (RFC 6052) is itself. */
static gboolean
reeve_geography_set_address (GInetAddress *address, struct sockaddr_storage *socket)
{
  static const guint8 translated[12] = { 0x00, 0x64, 0xff, 0x9b };
  static const guint8 nothing[12] = { 0 };
  const guint8 *bytes = g_inet_address_to_bytes (address);
  gboolean is_4 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4;

  if (!is_4 && memcmp (bytes, nothing, sizeof nothing) == 0)
    return FALSE;
  if (!is_4 && memcmp (bytes, translated, sizeof translated) == 0)
    {
      bytes += sizeof translated;
      is_4 = TRUE;
    }
  if (is_4)
    {
      struct sockaddr_in *in = (struct sockaddr_in *) socket;

      in->sin_family = AF_INET;
      memcpy (&in->sin_addr, bytes, sizeof in->sin_addr);
    }
  else
    {
      struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) socket;

      in6->sin6_family = AF_INET6;
      memcpy (&in6->sin6_addr, bytes, sizeof in6->sin6_addr);
    }
  return TRUE;
}

static gboolean
reeve_geography_take (int status, const MMDB_entry_data_s *data, char country[REEVE_GEOGRAPHY_CODE])
{
  if (status != MMDB_SUCCESS || !data->has_data || data->type != MMDB_DATA_TYPE_UTF8_STRING
      || data->data_size != REEVE_GEOGRAPHY_CODE - 1)
    return FALSE;
  for (guint i = 0; i < REEVE_GEOGRAPHY_CODE - 1; i++)
    country[i] = g_ascii_toupper (data->utf8_string[i]);
  country[REEVE_GEOGRAPHY_CODE - 1] = '\0';
  return g_ascii_isupper (country[0]) && g_ascii_isupper (country[1]);
}

/**
 * reeve_geography_find:
 * @self: a database
 * @address: an address
 * @country: (out caller-allocates): in which country it is
 *
 * Where it is, not where its owner is registered. Databases have that as country.iso_code or as
 * country_code.
 *
 * Returns: %FALSE where the database does not say so
 */
gboolean
reeve_geography_find (ReeveGeography *self, GInetAddress *address,
                      char country[REEVE_GEOGRAPHY_CODE])
{
  struct sockaddr_storage socket = { 0 };
  ReeveGeographyPage *page = NULL;
  MMDB_lookup_result_s result = { 0 };
  MMDB_entry_data_s data = { 0 };
  int status = MMDB_SUCCESS;
  gboolean found = FALSE;

  if (!reeve_geography_set_address (address, &socket))
    return FALSE;
  page = reeve_geography_get_page (self);
  result = MMDB_lookup_sockaddr (&page->mmdb, (struct sockaddr *) &socket, &status);
  if (status == MMDB_SUCCESS && result.found_entry)
    {
      status = MMDB_get_value (&result.entry, &data, "country", "iso_code", NULL);
      found = reeve_geography_take (status, &data, country);
      if (!found)
        {
          status = MMDB_get_value (&result.entry, &data, "country_code", NULL);
          found = reeve_geography_take (status, &data, country);
        }
    }
  reeve_geography_page_unref (page);
  return found;
}

/**
 * reeve_geography_get_made_at:
 * @self: a database
 *
 * Returns: when it was made, as it says itself: µs since the epoch
 */
gint64
reeve_geography_get_made_at (ReeveGeography *self)
{
  ReeveGeographyPage *page = reeve_geography_get_page (self);
  guint64 seconds = page->mmdb.metadata.build_epoch;

  reeve_geography_page_unref (page);
  return (gint64) MIN (seconds, (guint64) G_MAXINT64 / G_USEC_PER_SEC) * G_USEC_PER_SEC;
}

/**
 * reeve_geography_get_path:
 * @self: a database
 *
 * Returns: (transfer none): its file
 */
const char *
reeve_geography_get_path (ReeveGeography *self)
{
  return self->path;
}
