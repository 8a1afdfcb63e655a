/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePasswordsLocks: failed logins, counted by user and by address, and who has to wait for them.
 * In memory, bounded, no I/O. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReevePasswordsLocks ReevePasswordsLocks;

/* What became of one attempt. */
typedef struct
{
  gboolean user;    /* the user is locked */
  gboolean address; /* the address is */
  gboolean say;     /* and that is worth a line in the log */
} ReevePasswordsLocksState;

/* failures: how many are let pass of a user, of an address (0: any number); seconds: how long they
 * are remembered, and how long a lock holds */
ReevePasswordsLocks *reeve_passwords_locks_new (guint user_failures, guint address_failures,
                                                guint seconds) G_GNUC_WARN_UNUSED_RESULT;
void reeve_passwords_locks_free (ReevePasswordsLocks *self);

/* user: any name, of somebody or of nobody; address: (nullable); now: monotonic µs */
gboolean reeve_passwords_locks_check (ReevePasswordsLocks *self, const char *user,
                                      const char *address, gint64 now,
                                      ReevePasswordsLocksState *state);
/* Around looking at a password: FALSE while the outcome of others may lock the user or the address.
 */
gboolean reeve_passwords_locks_begin (ReevePasswordsLocks *self, const char *user,
                                      const char *address, gint64 now);
void reeve_passwords_locks_end (ReevePasswordsLocks *self, const char *user, const char *address);
/* One more failed login: what it has locked. */
void reeve_passwords_locks_fail (ReevePasswordsLocks *self, const char *user, const char *address,
                                 gint64 now, ReevePasswordsLocksState *state);
/* The user got in: its failures are forgotten, those of the address are not. */
void reeve_passwords_locks_succeed (ReevePasswordsLocks *self, const char *user);
/* Is it time for another line in the log about a lock that is known from elsewhere? */
gboolean reeve_passwords_locks_may_say (ReevePasswordsLocks *self, gint64 now);
/* When the user's lock ends, in monotonic µs; 0: there is none. */
gint64 reeve_passwords_locks_get_end (ReevePasswordsLocks *self, const char *user, gint64 now);
/* Lifts the lock of the user, and of the addresses from which its logins failed. */
void reeve_passwords_locks_lift (ReevePasswordsLocks *self, const char *user);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePasswordsLocks, reeve_passwords_locks_free)

G_END_DECLS
