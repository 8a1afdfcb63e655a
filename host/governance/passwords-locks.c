/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counting is the same for a user that is there and for one that is not, or the difference would
 * tell which is which. A table that is full drops what is counted longest; who fills one needs as
 * many addresses as it has rows, for each is locked after a few. */
#include "passwords-locks.h"

#include "base/address-list.h"
#include "base/tally.h"

#define REEVE_PASSWORDS_LOCKS_ROWS      8192
#define REEVE_PASSWORDS_LOCKS_ADDRESSES 8 /* remembered of one user */
#define REEVE_PASSWORDS_LOCKS_SAY_US    (60 * G_TIME_SPAN_SECOND)

typedef struct
{
  guint failures;
  gint64 first; /* monotonic µs of the first that is counted */
  gint64 until; /* locked; 0: not */
  gint64 said;
  GPtrArray *addresses; /* (nullable): of a user */
} ReevePasswordsLocksRow;

struct _ReevePasswordsLocks
{
  GMutex mutex;
  GHashTable *users;
  GHashTable *addresses;
  ReeveTally *looking; /* users and addresses whose passwords are being looked at */
  guint user_failures;
  guint address_failures;
  gint64 span;
  gint64 said;
};

static void
reeve_passwords_locks_row_free (gpointer data)
{
  ReevePasswordsLocksRow *row = data;

  g_clear_pointer (&row->addresses, g_ptr_array_unref);
  g_free (row);
}

/**
 * reeve_passwords_locks_new:
 * @user_failures: failed logins of a user that are let pass; one more locks it; 0: any number
 * @address_failures: the same of an address
 * @seconds: how long failures are remembered and locks hold
 *
 * Returns: (transfer full): counters at 0
 */
ReevePasswordsLocks *
reeve_passwords_locks_new (guint user_failures, guint address_failures, guint seconds)
{
  ReevePasswordsLocks *self = g_new0 (ReevePasswordsLocks, 1);

  g_mutex_init (&self->mutex);
  self->users
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reeve_passwords_locks_row_free);
  self->addresses
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reeve_passwords_locks_row_free);
  self->looking = reeve_tally_new ();
  self->user_failures = user_failures;
  self->address_failures = address_failures;
  self->span = seconds * G_TIME_SPAN_SECOND;
  return self;
}

/**
 * reeve_passwords_locks_free:
 * @self: counters
 */
void
reeve_passwords_locks_free (ReevePasswordsLocks *self)
{
  g_hash_table_unref (self->users);
  g_hash_table_unref (self->addresses);
  reeve_tally_free (self->looking);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/* ---- rows ---- */

static gboolean
reeve_passwords_locks_is_over (ReevePasswordsLocks *self, const ReevePasswordsLocksRow *row,
                               gint64 now)
{
  return row->until != 0 ? now >= row->until : now - row->first >= self->span;
}

/* (nullable): the row of @key, if it still counts */
static ReevePasswordsLocksRow *
reeve_passwords_locks_find (ReevePasswordsLocks *self, GHashTable *table, const char *key,
                            gint64 now)
{
  ReevePasswordsLocksRow *row = key != NULL ? g_hash_table_lookup (table, key) : NULL;

  if (row == NULL || !reeve_passwords_locks_is_over (self, row, now))
    return row;
  g_hash_table_remove (table, key);
  return NULL;
}

static void
reeve_passwords_locks_make_room (ReevePasswordsLocks *self, GHashTable *table, gint64 now)
{
  GHashTableIter iter;
  gpointer key = NULL;
  gpointer value = NULL;
  const char *oldest = NULL;
  gint64 first = G_MAXINT64;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      ReevePasswordsLocksRow *row = value;

      if (reeve_passwords_locks_is_over (self, row, now))
        g_hash_table_iter_remove (&iter);
      else if (row->first < first)
        {
          oldest = key;
          first = row->first;
        }
    }
  if (g_hash_table_size (table) >= REEVE_PASSWORDS_LOCKS_ROWS && oldest != NULL)
    g_hash_table_remove (table, oldest);
}

static ReevePasswordsLocksRow *
reeve_passwords_locks_take (ReevePasswordsLocks *self, GHashTable *table, const char *key,
                            gint64 now)
{
  ReevePasswordsLocksRow *row = reeve_passwords_locks_find (self, table, key, now);

  if (row != NULL)
    return row;
  if (g_hash_table_size (table) >= REEVE_PASSWORDS_LOCKS_ROWS)
    reeve_passwords_locks_make_room (self, table, now);
  row = g_new0 (ReevePasswordsLocksRow, 1);
  row->first = now;
  g_hash_table_insert (table, g_strdup (key), row);
  return row;
}

/* Is it locked; and was that not said lately? */
static gboolean
reeve_passwords_locks_look (ReevePasswordsLocksRow *row, gint64 now, gboolean *say)
{
  if (row == NULL || row->until == 0)
    return FALSE;
  if (row->said == 0 || now - row->said >= REEVE_PASSWORDS_LOCKS_SAY_US)
    {
      row->said = now;
      *say = TRUE;
    }
  return TRUE;
}

/**
 * reeve_passwords_locks_check:
 * @self: counters
 * @user: who is being logged in
 * @address: (nullable): from where
 * @now: monotonic µs
 * @state: (out caller-allocates): what is locked
 *
 * Returns: whether the login may be looked at
 */
gboolean
reeve_passwords_locks_check (ReevePasswordsLocks *self, const char *user, const char *address,
                             gint64 now, ReevePasswordsLocksState *state)
{
  g_autofree char *source = reeve_address_list_name_source (address);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  *state = (ReevePasswordsLocksState){ 0 };
  state->user = reeve_passwords_locks_look (
      reeve_passwords_locks_find (self, self->users, user, now), now, &state->say);
  state->address = reeve_passwords_locks_look (
      reeve_passwords_locks_find (self, self->addresses, source, now), now, &state->say);
  return !state->user && !state->address;
}

/* May one more be looked at, if all those that are now turned out to be wrong? */
static gboolean
reeve_passwords_locks_has_room (ReevePasswordsLocks *self, GHashTable *table, const char *key,
                                guint most, gint64 now)
{
  ReevePasswordsLocksRow *row = reeve_passwords_locks_find (self, table, key, now);

  return most == 0 || key == NULL
         || (row != NULL ? row->failures : 0) + reeve_tally_get (self->looking, key) <= most;
}

/**
 * reeve_passwords_locks_begin:
 * @self: counters
 * @user: who is being logged in
 * @address: (nullable): from where
 * @now: monotonic µs
 *
 * Before a password is looked at. Those that are looked at together are never more than may fail:
 * at once no more can be guessed than one after the other.
 *
 * Returns: %FALSE when it has to wait for what comes of the others; else
 * reeve_passwords_locks_end() is owed
 */
gboolean
reeve_passwords_locks_begin (ReevePasswordsLocks *self, const char *user, const char *address,
                             gint64 now)
{
  g_autofree char *source = reeve_address_list_name_source (address);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (!reeve_passwords_locks_has_room (self, self->users, user, self->user_failures, now)
      || !reeve_passwords_locks_has_room (self, self->addresses, source, self->address_failures,
                                          now))
    return FALSE;
  reeve_tally_add (self->looking, user);
  reeve_tally_add (self->looking, source);
  return TRUE;
}

/**
 * reeve_passwords_locks_end:
 * @self: counters
 * @user: who was looked at
 * @address: (nullable): from where
 *
 * After it was counted what came of it.
 */
void
reeve_passwords_locks_end (ReevePasswordsLocks *self, const char *user, const char *address)
{
  g_autofree char *source = reeve_address_list_name_source (address);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  reeve_tally_remove (self->looking, user);
  reeve_tally_remove (self->looking, source);
}

/* TRUE: this one has locked it */
static gboolean
reeve_passwords_locks_count (ReevePasswordsLocks *self, ReevePasswordsLocksRow *row, guint most,
                             gint64 now)
{
  row->failures++;
  if (row->until != 0 || row->failures <= most)
    return FALSE;
  row->until = now + self->span;
  row->said = now;
  return TRUE;
}

static void
reeve_passwords_locks_note_source (ReevePasswordsLocksRow *row, const char *source)
{
  if (row->addresses == NULL)
    row->addresses = g_ptr_array_new_with_free_func (g_free);
  if (row->addresses->len < REEVE_PASSWORDS_LOCKS_ADDRESSES
      && !g_ptr_array_find_with_equal_func (row->addresses, source, g_str_equal, NULL))
    g_ptr_array_add (row->addresses, g_strdup (source));
}

/**
 * reeve_passwords_locks_fail:
 * @self: counters
 * @user: who was not logged in
 * @address: (nullable): from where
 * @now: monotonic µs
 * @state: (out caller-allocates): what is locked from now on and was not before
 */
void
reeve_passwords_locks_fail (ReevePasswordsLocks *self, const char *user, const char *address,
                            gint64 now, ReevePasswordsLocksState *state)
{
  g_autofree char *source = reeve_address_list_name_source (address);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  *state = (ReevePasswordsLocksState){ 0 };
  if (self->user_failures > 0)
    {
      ReevePasswordsLocksRow *row = reeve_passwords_locks_take (self, self->users, user, now);

      state->user = reeve_passwords_locks_count (self, row, self->user_failures, now);
      if (source != NULL)
        reeve_passwords_locks_note_source (row, source);
    }
  if (self->address_failures > 0 && source != NULL)
    state->address = reeve_passwords_locks_count (
        self, reeve_passwords_locks_take (self, self->addresses, source, now),
        self->address_failures, now);
  state->say = state->user || state->address;
}

/**
 * reeve_passwords_locks_succeed:
 * @self: counters
 * @user: who got in
 */
void
reeve_passwords_locks_succeed (ReevePasswordsLocks *self, const char *user)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  g_hash_table_remove (self->users, user);
}

/**
 * reeve_passwords_locks_may_say:
 * @self: counters
 * @now: monotonic µs
 *
 * Returns: whether nothing was said for a minute
 */
gboolean
reeve_passwords_locks_may_say (ReevePasswordsLocks *self, gint64 now)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (self->said != 0 && now - self->said < REEVE_PASSWORDS_LOCKS_SAY_US)
    return FALSE;
  self->said = now;
  return TRUE;
}

/**
 * reeve_passwords_locks_get_end:
 * @self: counters
 * @user: who
 * @now: monotonic µs
 *
 * Returns: monotonic µs at which the lock ends; 0 when there is none
 */
gint64
reeve_passwords_locks_get_end (ReevePasswordsLocks *self, const char *user, gint64 now)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  ReevePasswordsLocksRow *row = reeve_passwords_locks_find (self, self->users, user, now);

  return row != NULL ? row->until : 0;
}

/**
 * reeve_passwords_locks_lift:
 * @self: counters
 * @user: who may try again
 *
 * Whoever mistypes a password again and again locks his address too: both are lifted.
 */
void
reeve_passwords_locks_lift (ReevePasswordsLocks *self, const char *user)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  ReevePasswordsLocksRow *row = g_hash_table_lookup (self->users, user);

  for (guint i = 0; row != NULL && row->addresses != NULL && i < row->addresses->len; i++)
    g_hash_table_remove (self->addresses, row->addresses->pdata[i]);
  g_hash_table_remove (self->users, user);
}
