/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A login goes from lane to lane, as the providers are asked in their order. Who shows the same as
 * somebody who is being asked about waits for that answer:
 *
 *   - a good one is good for all who wait, if nothing was taken from anybody since it was asked
 *     for; else it is for the first alone, and the others are asked about anew;
 *   - a refusal is for the first alone too: who counts failed logins is to see each of them, and
 *     after a few they cost it nothing;
 *   - what kept the provider from answering kept it from answering all.
 *
 * A provider that is busy is asked again a little later, until the login has taken too long. */
#include "authentication-logins.h"

#include <reeve-error.h>
#include <string.h>

#include "base/address-list.h"
#include "base/log.h"
#include "base/tally.h"

/* of one provider */
#define REEVE_AUTHENTICATION_LOGINS_THREADS 4
#define REEVE_AUTHENTICATION_LOGINS_LANE    512
/* of one address: nobody fills the lanes alone */
#define REEVE_AUTHENTICATION_LOGINS_ADDRESS 256
/* who waits for an answer, joined ones included */
#define REEVE_AUTHENTICATION_LOGINS_WAITING 4096
#define REEVE_AUTHENTICATION_LOGINS_US      (30 * G_TIME_SPAN_SECOND)
/* before a busy provider is asked again; twice that the next time, and so on */
#define REEVE_AUTHENTICATION_LOGINS_PAUSE     (20 * G_TIME_SPAN_MILLISECOND)
#define REEVE_AUTHENTICATION_LOGINS_MAX_PAUSE (250 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  GTask *task;
  gint64 since; /* monotonic µs */
} ReeveAuthenticationWaiter;

/* One set of credentials that providers are asked about. */
typedef struct
{
  ReeveAuthenticationLaneJob job; /* first */
  ReeveAuthenticationLogins *logins;
  guint8 key[REEVE_AUTHENTICATION_CACHE_KEY];
  char *scheme;
  char *token;
  char *peer_address;
  char *door;
  char *source;             /* (nullable): what it counts as */
  ReeveLogContext *context; /* (nullable) of the log */
  guint first;              /* the first one that may know them */
  guint provider;           /* the one that is asked */
  gint64 pause;             /* µs; 0: was never put off */
  guint version;            /* guarded by the lock: of before it was asked about */
  GQueue waiters;           /* guarded by the lock: ReeveAuthenticationWaiter */
} ReeveAuthenticationLogin;

typedef struct
{
  ReeveAuthenticationLaneJob job; /* first */
  ReeveAuthenticationLogins *logins;
  guint provider;
} ReeveAuthenticationWarming;

struct _ReeveAuthenticationLogins
{
  ReeveAuthenticationLoginsHooks hooks;
  gpointer data;
  GPtrArray *lanes;

  gboolean alone; /* each is asked about by himself */

  GMutex lock;         /* guards what follows */
  GHashTable *open;    /* logins that may be joined; they are their own keys */
  ReeveTally *sources; /* how many logins of an address */
  guint waiting;
};

static void reeve_authentication_logins_work (ReeveAuthenticationLaneJob *job, gboolean closed);

/* The key is a digest, so any four bytes of it are a good hash. */
static guint
reeve_authentication_logins_hash (gconstpointer login)
{
  guint hash = 0;

  memcpy (&hash, ((const ReeveAuthenticationLogin *) login)->key, sizeof hash);
  return hash;
}

static gboolean
reeve_authentication_logins_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (((const ReeveAuthenticationLogin *) a)->key,
                 ((const ReeveAuthenticationLogin *) b)->key, REEVE_AUTHENTICATION_CACHE_KEY)
         == 0;
}

/**
 * reeve_authentication_logins_new:
 * @hooks: what a login is made of; copied
 * @data: for them; outlives what is made
 *
 * Returns: (transfer full): without a provider
 */
ReeveAuthenticationLogins *
reeve_authentication_logins_new (const ReeveAuthenticationLoginsHooks *hooks, gpointer data)
{
  ReeveAuthenticationLogins *self = g_new0 (ReeveAuthenticationLogins, 1);

  self->hooks = *hooks;
  self->data = data;
  self->lanes = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_authentication_lane_free);
  self->open
      = g_hash_table_new (reeve_authentication_logins_hash, reeve_authentication_logins_equal);
  self->sources = reeve_tally_new ();
  g_mutex_init (&self->lock);
  return self;
}

/**
 * reeve_authentication_logins_free:
 * @self: (transfer full): after the shutdown
 */
void
reeve_authentication_logins_free (ReeveAuthenticationLogins *self)
{
  g_ptr_array_unref (self->lanes);
  g_hash_table_unref (self->open);
  reeve_tally_free (self->sources);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/**
 * reeve_authentication_logins_add_lane:
 * @self: who is on the way in
 * @name: of the provider
 */
void
reeve_authentication_logins_add_lane (ReeveAuthenticationLogins *self, const char *name)
{
  /* the kernel keeps 15 bytes of it */
  g_autofree char *thread = g_strdup_printf ("auth-%.10s", name);

  g_ptr_array_add (self->lanes,
                   reeve_authentication_lane_new (thread, REEVE_AUTHENTICATION_LOGINS_THREADS,
                                                  REEVE_AUTHENTICATION_LOGINS_LANE));
}

/**
 * reeve_authentication_logins_set_alone:
 * @self: who is on the way in
 * @alone: whether each is asked about by himself, also who shows the same as another
 *
 * Before the first.
 */
void
reeve_authentication_logins_set_alone (ReeveAuthenticationLogins *self, gboolean alone)
{
  self->alone = alone;
}

/**
 * reeve_authentication_logins_shutdown:
 * @self: who is on the way in
 *
 * Whoever still waits is told so. Not to be called from a login.
 */
void
reeve_authentication_logins_shutdown (ReeveAuthenticationLogins *self)
{
  for (guint i = 0; i < self->lanes->len; i++)
    reeve_authentication_lane_shutdown (g_ptr_array_index (self->lanes, i));
}

static void
reeve_authentication_logins_on_warm (ReeveAuthenticationLaneJob *job, gboolean closed)
{
  g_autofree ReeveAuthenticationWarming *warming = (ReeveAuthenticationWarming *) job;

  if (!closed)
    warming->logins->hooks.warm (warming->provider, warming->logins->data);
}

/**
 * reeve_authentication_logins_warm:
 * @self: who is on the way in
 *
 * Lets each provider get ready for the first caller, on a thread of its lane.
 */
void
reeve_authentication_logins_warm (ReeveAuthenticationLogins *self)
{
  for (guint i = 0; i < self->lanes->len; i++)
    {
      ReeveAuthenticationWarming *warming = g_new0 (ReeveAuthenticationWarming, 1);

      warming->job.run = reeve_authentication_logins_on_warm;
      warming->logins = self;
      warming->provider = i;
      if (!reeve_authentication_lane_push (g_ptr_array_index (self->lanes, i), &warming->job, NULL))
        g_free (warming);
    }
}

/* The next provider that may know these credentials, from @from on; as many as there are: none. */
static guint
reeve_authentication_logins_find (ReeveAuthenticationLogins *self, guint from,
                                  const ReeveCredentials *credentials)
{
  while (from < self->lanes->len && !self->hooks.knows (from, credentials, self->data))
    from++;
  return from;
}

/* ---- under the lock ---- */

static void
reeve_authentication_logins_add_waiter (ReeveAuthenticationLogin *login, GTask *task)
{
  ReeveAuthenticationWaiter *waiter = g_new (ReeveAuthenticationWaiter, 1);

  waiter->task = g_object_ref (task);
  waiter->since = g_get_monotonic_time ();
  g_queue_push_tail (&login->waiters, waiter);
  login->logins->waiting++;
}

static ReeveAuthenticationLogin *
reeve_authentication_logins_make (ReeveAuthenticationLogins *self, const guint8 *key,
                                  const ReeveCredentials *credentials, guint first, char *source)
{
  ReeveAuthenticationLogin *login = g_new0 (ReeveAuthenticationLogin, 1);

  login->job.run = reeve_authentication_logins_work;
  login->logins = self;
  memcpy (login->key, key, sizeof login->key);
  login->scheme = g_strdup (credentials->scheme);
  login->token = g_strdup (credentials->token);
  login->peer_address = g_strdup (credentials->peer_address);
  login->door = g_strdup (credentials->door);
  login->first = first;
  login->provider = first;
  login->source = source;
  login->context = reeve_log_save_context ();
  login->version = self->hooks.get_version (self->data);
  g_queue_init (&login->waiters);
  reeve_tally_add (self->sources, source);
  /* in the place of one that is asked about since before something was taken back */
  if (!self->alone)
    g_hash_table_replace (self->open, login, login);
  return login;
}

/* No longer to be joined. */
static void
reeve_authentication_logins_close (ReeveAuthenticationLogin *login)
{
  ReeveAuthenticationLogins *self = login->logins;

  if (g_hash_table_lookup (self->open, login) == login)
    g_hash_table_remove (self->open, login);
}

static void
reeve_authentication_logins_forget (ReeveAuthenticationLogin *login)
{
  ReeveAuthenticationLogins *self = login->logins;

  reeve_authentication_logins_close (login);
  reeve_tally_remove (self->sources, login->source);
}

/* ---- the end of a login ---- */

static void
reeve_authentication_logins_free_login (ReeveAuthenticationLogin *login)
{
  if (login->token != NULL)
    explicit_bzero (login->token, strlen (login->token));
  g_free (login->scheme);
  g_free (login->token);
  g_free (login->peer_address);
  g_free (login->door);
  g_free (login->source);
  g_clear_pointer (&login->context, reeve_log_context_unref);
  g_free (login);
}

static void
reeve_authentication_logins_tell (ReeveAuthenticationWaiter *waiter, ReeveCaller *caller,
                                  const GError *error)
{
  if (caller != NULL)
    g_task_return_pointer (waiter->task, reeve_caller_ref (caller),
                           (GDestroyNotify) reeve_caller_unref);
  else
    g_task_return_error (waiter->task, g_error_copy (error));
  g_object_unref (waiter->task);
  g_free (waiter);
}

static void
reeve_authentication_logins_tell_all (GQueue *waiters, ReeveCaller *caller, const GError *error)
{
  ReeveAuthenticationWaiter *waiter = NULL;

  while ((waiter = g_queue_pop_head (waiters)) != NULL)
    reeve_authentication_logins_tell (waiter, caller, error);
}

/* Into the lane of the provider that is to be asked; ends the login when that is full. */
static void
reeve_authentication_logins_push (ReeveAuthenticationLogin *login)
{
  ReeveAuthenticationLogins *self = login->logins;
  g_autoptr (GError) error = NULL;
  GQueue waiters = G_QUEUE_INIT;

  if (reeve_authentication_lane_push (g_ptr_array_index (self->lanes, login->provider), &login->job,
                                      &error))
    return;
  g_mutex_lock (&self->lock);
  reeve_authentication_logins_forget (login);
  waiters = login->waiters;
  self->waiting -= waiters.length;
  g_mutex_unlock (&self->lock);
  reeve_authentication_logins_tell_all (&waiters, NULL, error);
  reeve_authentication_logins_free_login (login);
}

/* Is the answer for all who wait? */
static gboolean
reeve_authentication_logins_is_shared (ReeveAuthenticationLogin *login, const GError *error)
{
  if (error != NULL)
    return !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED);
  return login->version == login->logins->hooks.get_version (login->logins->data);
}

/* The others are asked about anew. */
static void
reeve_authentication_logins_begin_anew (ReeveAuthenticationLogin *login)
{
  ReeveAuthenticationLogins *self = login->logins;
  ReeveAuthenticationLogin *other = NULL;
  ReeveAuthenticationWaiter *waiter = NULL;

  g_mutex_lock (&self->lock);
  other = g_hash_table_lookup (self->open, login);
  if (other != NULL)
    {
      /* somebody came after it was closed, and is asked about already */
      while ((waiter = g_queue_pop_head (&login->waiters)) != NULL)
        g_queue_push_tail (&other->waiters, waiter);
      reeve_authentication_logins_forget (login);
      g_mutex_unlock (&self->lock);
      reeve_authentication_logins_free_login (login);
      return;
    }
  login->provider = login->first;
  login->pause = 0;
  login->job.due = 0;
  login->version = self->hooks.get_version (self->data);
  g_hash_table_replace (self->open, login, login);
  g_mutex_unlock (&self->lock);
  reeve_authentication_logins_push (login);
}

static void
reeve_authentication_logins_finish (ReeveAuthenticationLogin *login, ReeveCaller *caller,
                                    const GError *error)
{
  ReeveAuthenticationLogins *self = login->logins;
  GQueue told = G_QUEUE_INIT;
  gboolean over = FALSE;

  g_mutex_lock (&self->lock);
  reeve_authentication_logins_close (login);
  if (reeve_authentication_logins_is_shared (login, error))
    {
      told = login->waiters;
      g_queue_init (&login->waiters);
    }
  else
    g_queue_push_tail (&told, g_queue_pop_head (&login->waiters));
  self->waiting -= told.length;
  over = g_queue_is_empty (&login->waiters);
  if (over)
    reeve_authentication_logins_forget (login);
  g_mutex_unlock (&self->lock);
  reeve_authentication_logins_tell_all (&told, caller, error);
  if (over)
    reeve_authentication_logins_free_login (login);
  else
    reeve_authentication_logins_begin_anew (login);
}

/* ---- on a thread of a lane ---- */

static gint64
reeve_authentication_logins_get_end (ReeveAuthenticationLogin *login)
{
  ReeveAuthenticationLogins *self = login->logins;
  ReeveAuthenticationWaiter *first = NULL;
  gint64 end = 0;

  g_mutex_lock (&self->lock);
  first = g_queue_peek_head (&login->waiters);
  end = first->since + REEVE_AUTHENTICATION_LOGINS_US;
  g_mutex_unlock (&self->lock);
  return end;
}

/* The provider is busy: later, if there is time. */
static gboolean
reeve_authentication_logins_put_off (ReeveAuthenticationLogin *login)
{
  gint64 now = g_get_monotonic_time ();

  login->pause = CLAMP (2 * login->pause, REEVE_AUTHENTICATION_LOGINS_PAUSE,
                        REEVE_AUTHENTICATION_LOGINS_MAX_PAUSE);
  if (now + login->pause >= reeve_authentication_logins_get_end (login))
    return FALSE;
  login->job.due = now + login->pause;
  reeve_authentication_logins_push (login);
  return TRUE;
}

/* (transfer full): who is let in; %NULL without error: the login goes on elsewhere */
static ReeveCaller *
reeve_authentication_logins_ask (ReeveAuthenticationLogin *login, guint version, GError **error)
{
  ReeveAuthenticationLogins *self = login->logins;
  const ReeveCredentials credentials = {
    .struct_size = sizeof credentials,
    .scheme = login->scheme,
    .token = login->token,
    .peer_address = login->peer_address,
    .door = login->door,
  };
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveIdentity) identity
      = self->hooks.ask (login->provider, &credentials, self->data, &local);
  guint next = 0;

  if (identity != NULL)
    return self->hooks.let_in (identity, &credentials, login->key, version, self->data, error);
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_BUSY)
      && reeve_authentication_logins_put_off (login))
    return NULL;
  next = reeve_authentication_logins_find (self, login->provider + 1, &credentials);
  if (local == NULL && next < self->lanes->len)
    {
      login->provider = next;
      login->pause = 0;
      login->job.due = 0;
      reeve_authentication_logins_push (login);
      return NULL;
    }
  if (local == NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                         "no provider knows these credentials");
  else
    g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

/* Who joins from now on is to have come before anything was taken back. */
static guint
reeve_authentication_logins_note_version (ReeveAuthenticationLogin *login)
{
  ReeveAuthenticationLogins *self = login->logins;
  guint version = 0;

  g_mutex_lock (&self->lock);
  /* what another provider did not know it need not be asked about again */
  if (login->provider == login->first)
    login->version = self->hooks.get_version (self->data);
  version = login->version;
  g_mutex_unlock (&self->lock);
  return version;
}

static void
reeve_authentication_logins_go (ReeveAuthenticationLogin *login, gboolean closed)
{
  ReeveAuthenticationLogins *self = login->logins;
  guint version = reeve_authentication_logins_note_version (login);
  g_autoptr (ReeveCaller) caller = NULL;
  g_autoptr (GError) error = NULL;

  if (closed)
    g_set_error_literal (&error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "the host is shutting down");
  else if (g_get_monotonic_time () >= reeve_authentication_logins_get_end (login))
    g_set_error_literal (&error, REEVE_ERROR, REEVE_ERROR_BUSY,
                         "too many are waiting to be let in");
  else
    caller = self->hooks.look_up (login->key, self->data);
  if (caller == NULL && error == NULL)
    caller = reeve_authentication_logins_ask (login, version, &error);
  if (caller != NULL || error != NULL)
    reeve_authentication_logins_finish (login, caller, error);
}

static void
reeve_authentication_logins_work (ReeveAuthenticationLaneJob *job, gboolean closed)
{
  ReeveAuthenticationLogin *login = (ReeveAuthenticationLogin *) job;

  reeve_log_restore_context (login->context);
  reeve_authentication_logins_go (login, closed);
  reeve_log_clear_context ();
}

/* ---- the beginning ---- */

static gboolean
reeve_authentication_logins_is_refused (ReeveAuthenticationLogins *self, const char *source,
                                        guint first, GError **error)
{
  if (first >= self->lanes->len)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                           "no provider knows these credentials");
      return TRUE;
    }
  if (self->waiting < REEVE_AUTHENTICATION_LOGINS_WAITING
      && reeve_tally_get (self->sources, source) < REEVE_AUTHENTICATION_LOGINS_ADDRESS)
    return FALSE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUSY, "too many are waiting to be let in");
  return TRUE;
}

/**
 * reeve_authentication_logins_begin:
 * @self: who is on the way in
 * @key: digest of @credentials
 * @credentials: what was shown; copied
 * @task: returns a #ReeveCaller
 *
 * Joins who shows the same, or asks the first provider.
 */
void
reeve_authentication_logins_begin (ReeveAuthenticationLogins *self, const guint8 *key,
                                   const ReeveCredentials *credentials, GTask *task)
{
  g_autofree char *source = reeve_address_list_name_source (credentials->peer_address);
  ReeveAuthenticationLogin wanted = { .logins = self };
  guint first = reeve_authentication_logins_find (self, 0, credentials);
  ReeveAuthenticationLogin *login = NULL;
  gboolean joined = FALSE;
  GError *error = NULL;

  memcpy (wanted.key, key, sizeof wanted.key);
  g_mutex_lock (&self->lock);
  login = g_hash_table_lookup (self->open, &wanted);
  joined = login != NULL && self->waiting < REEVE_AUTHENTICATION_LOGINS_WAITING
           && login->version == self->hooks.get_version (self->data);
  if (!joined)
    login = !reeve_authentication_logins_is_refused (self, source, first, &error)
                ? reeve_authentication_logins_make (self, key, credentials, first,
                                                    g_steal_pointer (&source))
                : NULL;
  if (login != NULL)
    reeve_authentication_logins_add_waiter (login, task);
  g_mutex_unlock (&self->lock);
  if (login == NULL)
    g_task_return_error (task, error);
  else if (!joined)
    reeve_authentication_logins_push (login);
}
