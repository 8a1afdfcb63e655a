/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Argon2id (RFC 9106) by libsodium, which computes one lane, as OWASP's parameters have it. A hash
 * costs much memory and time on purpose: a few places bound both, whatever comes in, and those that
 * wait for one are so few that other work goes on. */
#include "passwords-hash.h"

#include <reeve-error.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/ids.h"

/* threads that wait for a place, and how long; with the places they are fewer than the workers */
#define REEVE_PASSWORDS_HASH_WAITING 4
#define REEVE_PASSWORDS_HASH_SECONDS 5
/* what a record may ask for: more is no record of ours */
#define REEVE_PASSWORDS_HASH_KIB   (1024 * 1024)
#define REEVE_PASSWORDS_HASH_TIMES 64
/* libsodium's */
#define REEVE_PASSWORDS_HASH_TEXT 128
#define REEVE_PASSWORDS_HASH_SALT 16

G_STATIC_ASSERT (REEVE_PASSWORDS_HASH_TEXT == crypto_pwhash_argon2id_STRBYTES);
G_STATIC_ASSERT (REEVE_PASSWORDS_HASH_SALT == crypto_pwhash_argon2id_SALTBYTES);

struct _ReevePasswordsHash
{
  gsize memory;
  guint iterations;
  guint parallel;
  char none[REEVE_PASSWORDS_HASH_TEXT]; /* the hash of nothing that anybody knows */

  GMutex mutex;
  GCond cond;
  guint running;
  guint waiting;
};

/* A hash in form, with the parameters of today, of random bytes. */
static void
reeve_passwords_hash_make_none (ReevePasswordsHash *self)
{
  guint8 bytes[REEVE_PASSWORDS_HASH_SALT + 32];
  char salt[32] = { 0 };
  char hash[64] = { 0 };

  reeve_ids_fill_random (bytes, sizeof bytes);
  sodium_bin2base64 (salt, sizeof salt, bytes, REEVE_PASSWORDS_HASH_SALT,
                     sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  sodium_bin2base64 (hash, sizeof hash, bytes + REEVE_PASSWORDS_HASH_SALT, 32,
                     sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  g_snprintf (self->none, sizeof self->none, "$argon2id$v=19$m=%u,t=%u,p=1$%s$%s",
              (guint) (self->memory / 1024), self->iterations, salt, hash);
}

/**
 * reeve_passwords_hash_new:
 * @memory: bytes of one hash, at least 8192
 * @iterations: over that memory, at least 1
 * @parallel: how many hashes are computed at once
 *
 * Returns: (transfer full): a place where passwords are hashed
 */
ReevePasswordsHash *
reeve_passwords_hash_new (gsize memory, guint iterations, guint parallel)
{
  ReevePasswordsHash *self = g_new0 (ReevePasswordsHash, 1);

  if (sodium_init () < 0)
    g_error ("libsodium cannot be used");
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  self->memory = MAX (memory, crypto_pwhash_argon2id_MEMLIMIT_MIN);
  self->iterations = MAX (iterations, 1);
  self->parallel = MAX (parallel, 1);
  reeve_passwords_hash_make_none (self);
  return self;
}

/**
 * reeve_passwords_hash_free:
 * @self: in which nobody is any more
 */
void
reeve_passwords_hash_free (ReevePasswordsHash *self)
{
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->cond);
  g_free (self);
}

/* ---- places ---- */

/**
 * reeve_passwords_hash_enter:
 * @self: where passwords are hashed
 * @error: return location
 *
 * Waits for a place; a few seconds at most, and only if few others do.
 *
 * Returns: %FALSE with %REEVE_ERROR_BUSY
 */
gboolean
reeve_passwords_hash_enter (ReevePasswordsHash *self, GError **error)
{
  gint64 end = g_get_monotonic_time () + REEVE_PASSWORDS_HASH_SECONDS * G_TIME_SPAN_SECOND;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  gboolean on = self->running < self->parallel || self->waiting < REEVE_PASSWORDS_HASH_WAITING;

  self->waiting++;
  while (on && self->running >= self->parallel)
    on = g_cond_wait_until (&self->cond, &self->mutex, end);
  self->waiting--;
  if (on)
    self->running++;
  else
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                         "too many passwords are being looked at");
  return on;
}

/**
 * reeve_passwords_hash_leave:
 * @self: where passwords are hashed
 *
 * Gives the place back.
 */
void
reeve_passwords_hash_leave (ReevePasswordsHash *self)
{
  g_mutex_lock (&self->mutex);
  self->running--;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
}

/* ---- hashes ---- */

/**
 * reeve_passwords_hash_make:
 * @self: where the caller has a place
 * @password: prepared
 * @error: return location
 *
 * Returns: (transfer full): the hash with its salt and parameters, a PHC string; %NULL with
 * %REEVE_ERROR_BUSY when there is no memory for it
 */
char *
reeve_passwords_hash_make (ReevePasswordsHash *self, const char *password, GError **error)
{
  char kept[REEVE_PASSWORDS_HASH_TEXT] = { 0 };

  if (crypto_pwhash_argon2id_str (kept, password, strlen (password), self->iterations, self->memory)
      == 0)
    return g_strdup (kept);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                       "there is no memory to hash a password");
  return NULL;
}

/**
 * reeve_passwords_hash_verify:
 * @self: where the caller has a place
 * @kept: (nullable): a PHC string
 * @password: prepared
 *
 * Without @kept, or with one that is none, a hash is computed all the same.
 *
 * Returns: whether @kept is of that password
 */
gboolean
reeve_passwords_hash_verify (ReevePasswordsHash *self, const char *kept, const char *password)
{
  gboolean known = kept != NULL && reeve_passwords_hash_is_one (kept);
  int rc
      = crypto_pwhash_argon2id_str_verify (known ? kept : self->none, password, strlen (password));

  return known && rc == 0;
}

/**
 * reeve_passwords_hash_is_old:
 * @self: where passwords are hashed
 * @kept: a PHC string
 *
 * Returns: whether it is to be made anew when the password is next known
 */
gboolean
reeve_passwords_hash_is_old (ReevePasswordsHash *self, const char *kept)
{
  return crypto_pwhash_argon2id_str_needs_rehash (kept, self->iterations, self->memory) != 0;
}

/**
 * reeve_passwords_hash_is_one:
 * @kept: any text
 *
 * What a record asks for is bounded before it is computed: the store may have been restored from
 * elsewhere.
 *
 * Returns: whether it is Argon2id with parameters that this host takes
 */
gboolean
reeve_passwords_hash_is_one (const char *kept)
{
  guint memory = 0;
  guint times = 0;
  int end = 0;

  return strlen (kept) < REEVE_PASSWORDS_HASH_TEXT
         && sscanf (kept, "$argon2id$v=19$m=%7u,t=%3u,p=1$%n", &memory, &times, &end) == 2
         && end > 0 && memory >= 8 && memory <= REEVE_PASSWORDS_HASH_KIB && times >= 1
         && times <= REEVE_PASSWORDS_HASH_TIMES;
}

/* ---- passwords ---- */

/**
 * reeve_passwords_hash_prepare:
 * @password: as it was typed
 *
 * The same password is typed in several forms of Unicode: it is hashed in the form NFC. Control
 * characters are none of a password (RFC 7617).
 *
 * Returns: (transfer full) (nullable): the password as it is hashed, for
 * reeve_passwords_hash_wipe()
 */
char *
reeve_passwords_hash_prepare (const char *password)
{
  gsize length = strlen (password);
  char *prepared = NULL;

  if (length == 0 || length > REEVE_PASSWORDS_HASH_MAX
      || !g_utf8_validate_len (password, length, NULL))
    return NULL;
  for (const char *c = password; *c != '\0'; c = g_utf8_next_char (c))
    if (g_unichar_iscntrl (g_utf8_get_char (c)))
      return NULL;
  prepared = g_utf8_normalize (password, (gssize) length, G_NORMALIZE_NFC);
  if (prepared == NULL || strlen (prepared) <= REEVE_PASSWORDS_HASH_MAX)
    return prepared;
  reeve_passwords_hash_wipe (prepared);
  return NULL;
}

/**
 * reeve_passwords_hash_wipe:
 * @password: (transfer full) (nullable): a secret
 */
void
reeve_passwords_hash_wipe (char *password)
{
  if (password != NULL)
    sodium_memzero (password, strlen (password));
  g_free (password);
}
