/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each agent has a ring of the users that wait, and each of them a line of runs. When a place is
 * free, the user in front has the next run, and goes behind the others. So a user with many runs
 * gets one turn where another with a single one gets one too, and whoever waits is served after at
 * most as many runs as there are users. Somebody who is let in has fewer waiting than places are
 * free: one user takes half of them, two a third each, and for another one there is always a place
 * until all are taken. Agents belong to one tenant: between tenants nothing is shared. */
#include "run-queue.h"

#include <string.h>

#define REEVE_RUN_QUEUE_MOST 60 /* seconds: nobody is told to stay away for longer */

typedef struct
{
  char *user_id;
  GQueue runs; /* char *: ids */
} ReeveRunQueueUser;

/* What there is of one agent. */
typedef struct
{
  guint limit;         /* of its definition */
  guint bound;         /* of its tenant */
  GHashTable *going;   /* run id -> gint64 *: monotonic µs when it began */
  GQueue users;        /* ReeveRunQueueUser: the one in front is the next */
  GHashTable *refused; /* ids of users whose last run had no place */
  char *workspace_id;  /* (nullable): where the agent lies */
  guint waiting;
  gint64 mean; /* µs that a run takes, about; 0: none has ended yet */
} ReeveRunQueueLine;

struct _ReeveRunQueue
{
  GHashTable *lines; /* "tenant/agent" -> ReeveRunQueueLine */
};

static void
reeve_run_queue_user_free (gpointer data)
{
  ReeveRunQueueUser *user = data;

  g_queue_clear_full (&user->runs, g_free);
  g_free (user->user_id);
  g_free (user);
}

static void
reeve_run_queue_line_free (gpointer data)
{
  ReeveRunQueueLine *line = data;

  g_hash_table_unref (line->going);
  g_hash_table_unref (line->refused);
  g_free (line->workspace_id);
  g_queue_clear_full (&line->users, reeve_run_queue_user_free);
  g_free (line);
}

/**
 * reeve_run_queue_new:
 *
 * Returns: (transfer full): nothing goes and nothing waits
 */
ReeveRunQueue *
reeve_run_queue_new (void)
{
  ReeveRunQueue *self = g_new0 (ReeveRunQueue, 1);

  self->lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reeve_run_queue_line_free);
  return self;
}

/**
 * reeve_run_queue_free:
 * @self: (transfer full): a queue
 */
void
reeve_run_queue_free (ReeveRunQueue *self)
{
  g_hash_table_unref (self->lines);
  g_free (self);
}

static ReeveRunQueueLine *
reeve_run_queue_find_line (ReeveRunQueue *self, const char *tenant_id, const char *agent_id)
{
  g_autofree char *key = g_strconcat (tenant_id, "/", agent_id, NULL);

  return g_hash_table_lookup (self->lines, key);
}

static ReeveRunQueueLine *
reeve_run_queue_need_line (ReeveRunQueue *self, const ReeveRunQueueAsk *ask)
{
  ReeveRunQueueLine *line = reeve_run_queue_find_line (self, ask->tenant_id, ask->agent_id);

  if (line == NULL)
    {
      line = g_new0 (ReeveRunQueueLine, 1);
      line->going = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
      line->refused = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      g_queue_init (&line->users);
      g_hash_table_insert (self->lines, g_strconcat (ask->tenant_id, "/", ask->agent_id, NULL),
                           line);
    }
  line->limit = ask->limit;
  line->bound = ask->bound;
  if (g_strcmp0 (line->workspace_id, ask->workspace_id) != 0)
    {
      g_free (line->workspace_id);
      line->workspace_id = g_strdup (ask->workspace_id);
    }
  return line;
}

static ReeveRunQueueUser *
reeve_run_queue_find_user (ReeveRunQueueLine *line, const char *user_id)
{
  for (GList *l = line->users.head; l != NULL; l = l->next)
    {
      ReeveRunQueueUser *user = l->data;

      if (strcmp (user->user_id, user_id) == 0)
        return user;
    }
  return NULL;
}

/* @run_id: (transfer full) */
static void
reeve_run_queue_let_go (ReeveRunQueueLine *line, char *run_id, gint64 now)
{
  gint64 *began = g_new (gint64, 1);

  *began = now;
  g_hash_table_replace (line->going, run_id, began);
}

/* The stricter of the two; 0: neither. */
static guint
reeve_run_queue_get_limit (const ReeveRunQueueLine *line)
{
  return line->limit > 0 && line->bound > 0 ? MIN (line->limit, line->bound)
                                            : MAX (line->limit, line->bound);
}

static gboolean
reeve_run_queue_has_room (const ReeveRunQueueLine *line)
{
  guint limit = reeve_run_queue_get_limit (line);

  return limit == 0 || g_hash_table_size (line->going) < limit;
}

static void
reeve_run_queue_add_waiting (ReeveRunQueueLine *line, const ReeveRunQueueAsk *ask)
{
  ReeveRunQueueUser *user = reeve_run_queue_find_user (line, ask->user_id);

  if (user == NULL)
    {
      user = g_new0 (ReeveRunQueueUser, 1);
      user->user_id = g_strdup (ask->user_id);
      g_queue_init (&user->runs);
      g_queue_push_tail (&line->users, user);
    }
  g_queue_push_tail (&user->runs, g_strdup (ask->run_id));
  line->waiting++;
}

/* Of @user (nullable), who has none waiting when he is not there. */
static gboolean
reeve_run_queue_is_full (const ReeveRunQueueLine *line, const ReeveRunQueueUser *user, guint length)
{
  guint own = user != NULL ? user->runs.length : 0;

  return own >= length - MIN (line->waiting, length);
}

static gboolean
reeve_run_queue_goes (const ReeveRunQueueLine *line)
{
  return line->waiting == 0 && reeve_run_queue_has_room (line);
}

/**
 * reeve_run_queue_look:
 * @self: a queue
 * @ask: (inout): a run that might come; its limit is filled in where the agent has runs
 * @state: (out caller-allocates): how it would stand; its place is 0 unless it would wait
 *
 * Nothing is changed.
 *
 * Returns: what reeve_run_queue_enter() would say
 */
ReeveRunQueueAnswer
reeve_run_queue_look (ReeveRunQueue *self, ReeveRunQueueAsk *ask, ReeveRunQueueState *state)
{
  const ReeveRunQueueLine *line = reeve_run_queue_find_line (self, ask->tenant_id, ask->agent_id);
  ReeveRunQueueLine now = { .limit = ask->limit };

  if (line != NULL)
    now = *line;
  now.bound = ask->bound;
  ask->limit = now.limit;
  *state
      = (ReeveRunQueueState){ .waiting = now.waiting, .limit = reeve_run_queue_get_limit (&now) };
  if (line == NULL)
    return REEVE_RUN_QUEUE_GO;
  state->going = g_hash_table_size (now.going);
  if (reeve_run_queue_goes (&now))
    return REEVE_RUN_QUEUE_GO;
  state->place = now.waiting + 1;
  return reeve_run_queue_is_full (line, reeve_run_queue_find_user (&now, ask->user_id), ask->length)
             ? REEVE_RUN_QUEUE_FULL
             : REEVE_RUN_QUEUE_WAIT;
}

/**
 * reeve_run_queue_has_place:
 * @self: a queue
 * @ask: (inout): a run that might come; its limit is filled in
 * @workspace_id: (out) (nullable) (transfer none): where the agent lies
 *
 * Nothing is changed.
 *
 * Returns: whether it would go or wait
 */
gboolean
reeve_run_queue_has_place (ReeveRunQueue *self, ReeveRunQueueAsk *ask, const char **workspace_id)
{
  const ReeveRunQueueLine *line = reeve_run_queue_find_line (self, ask->tenant_id, ask->agent_id);
  ReeveRunQueueState state = { 0 };

  *workspace_id = line != NULL ? line->workspace_id : NULL;
  return reeve_run_queue_look (self, ask, &state) != REEVE_RUN_QUEUE_FULL;
}

/**
 * reeve_run_queue_note_refused:
 * @self: a queue
 * @ask: a run that had no place
 *
 * Returns: whether it is the first of its user since one had a place
 */
gboolean
reeve_run_queue_note_refused (ReeveRunQueue *self, const ReeveRunQueueAsk *ask)
{
  ReeveRunQueueLine *line = reeve_run_queue_find_line (self, ask->tenant_id, ask->agent_id);

  return line == NULL || g_hash_table_add (line->refused, g_strdup (ask->user_id));
}

/**
 * reeve_run_queue_enter:
 * @self: a queue
 * @ask: a new run, and what its agent may have at once
 *
 * Returns: whether it goes, waits, or has no place
 */
ReeveRunQueueAnswer
reeve_run_queue_enter (ReeveRunQueue *self, const ReeveRunQueueAsk *ask)
{
  ReeveRunQueueLine *line = reeve_run_queue_need_line (self, ask);
  const ReeveRunQueueUser *user = reeve_run_queue_find_user (line, ask->user_id);

  if (!reeve_run_queue_goes (line) && reeve_run_queue_is_full (line, user, ask->length))
    return REEVE_RUN_QUEUE_FULL;
  g_hash_table_remove (line->refused, ask->user_id);
  if (reeve_run_queue_goes (line))
    {
      reeve_run_queue_let_go (line, g_strdup (ask->run_id), ask->now);
      return REEVE_RUN_QUEUE_GO;
    }
  reeve_run_queue_add_waiting (line, ask);
  return REEVE_RUN_QUEUE_WAIT;
}

/**
 * reeve_run_queue_add_going:
 * @self: a queue
 * @ask: a run that goes already
 *
 * It has a place, also one too many: what was begun is not stopped for a limit that was lowered.
 */
void
reeve_run_queue_add_going (ReeveRunQueue *self, const ReeveRunQueueAsk *ask)
{
  reeve_run_queue_let_go (reeve_run_queue_need_line (self, ask), g_strdup (ask->run_id), ask->now);
}

/* ---- leaving ---- */

static void
reeve_run_queue_note_end (ReeveRunQueueLine *line, gint64 took)
{
  line->mean = line->mean == 0 ? MAX (took, 1) : (3 * line->mean + took) / 4;
}

/* It waited: its user goes too when it was the last. */
static void
reeve_run_queue_remove_waiting (ReeveRunQueueLine *line, const char *run_id)
{
  for (GList *l = line->users.head; l != NULL; l = l->next)
    {
      ReeveRunQueueUser *user = l->data;
      GList *found = g_queue_find_custom (&user->runs, run_id, (GCompareFunc) strcmp);

      if (found == NULL)
        continue;
      g_free (found->data);
      g_queue_delete_link (&user->runs, found);
      line->waiting--;
      if (user->runs.length == 0)
        {
          g_queue_delete_link (&line->users, l);
          reeve_run_queue_user_free (user);
        }
      return;
    }
}

/* (transfer full): of the user in front, who goes behind the others */
static char *
reeve_run_queue_take_next (ReeveRunQueueLine *line)
{
  ReeveRunQueueUser *user = g_queue_pop_head (&line->users);
  char *run_id = g_queue_pop_head (&user->runs);

  line->waiting--;
  if (user->runs.length > 0)
    g_queue_push_tail (&line->users, user);
  else
    reeve_run_queue_user_free (user);
  return run_id;
}

static void
reeve_run_queue_fill (ReeveRunQueueLine *line, GStrvBuilder *ids, gint64 now)
{
  while (line->waiting > 0 && reeve_run_queue_has_room (line))
    {
      char *next = reeve_run_queue_take_next (line);

      g_strv_builder_add (ids, next);
      reeve_run_queue_let_go (line, next, now);
    }
}

/**
 * reeve_run_queue_leave:
 * @self: a queue
 * @tenant_id: a tenant
 * @agent_id: its agent
 * @run_id: a run that has ended, or waits no more; may be unknown
 * @bound: how many the tenant lets go at once now; 0: all
 * @now: monotonic µs
 *
 * Returns: (transfer full): ids of the runs that go now
 */
char **
reeve_run_queue_leave (ReeveRunQueue *self, const char *tenant_id, const char *agent_id,
                       const char *run_id, guint bound, gint64 now)
{
  ReeveRunQueueLine *line = reeve_run_queue_find_line (self, tenant_id, agent_id);
  const gint64 *began = line != NULL ? g_hash_table_lookup (line->going, run_id) : NULL;
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();

  if (line == NULL)
    return g_strv_builder_end (ids);
  if (began != NULL)
    {
      reeve_run_queue_note_end (line, now - *began);
      g_hash_table_remove (line->going, run_id);
    }
  else
    reeve_run_queue_remove_waiting (line, run_id);
  line->bound = bound;
  reeve_run_queue_fill (line, ids, now);
  if (g_hash_table_size (line->going) == 0 && line->waiting == 0)
    {
      g_autofree char *key = g_strconcat (tenant_id, "/", agent_id, NULL);

      g_hash_table_remove (self->lines, key);
    }
  return g_strv_builder_end (ids);
}

/**
 * reeve_run_queue_review:
 * @self: a queue
 * @tenant_id: a tenant
 * @agent_id: its agent
 * @limit: (nullable): what its definition says now; %NULL: as before
 * @bound: what the tenant says now
 * @now: monotonic µs
 *
 * Returns: (transfer full): ids of the runs that go now
 */
char **
reeve_run_queue_review (ReeveRunQueue *self, const char *tenant_id, const char *agent_id,
                        const guint *limit, guint bound, gint64 now)
{
  ReeveRunQueueLine *line = reeve_run_queue_find_line (self, tenant_id, agent_id);
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();

  if (line == NULL)
    return g_strv_builder_end (ids);
  line->limit = limit != NULL ? *limit : line->limit;
  line->bound = bound;
  reeve_run_queue_fill (line, ids, now);
  return g_strv_builder_end (ids);
}

/* ---- looking ---- */

/**
 * reeve_run_queue_list_agents:
 * @self: a queue
 * @tenant_id: a tenant
 *
 * Returns: (transfer full): its agents that have runs
 */
char **
reeve_run_queue_list_agents (ReeveRunQueue *self, const char *tenant_id)
{
  g_autofree char *prefix = g_strconcat (tenant_id, "/", NULL);
  g_autoptr (GStrvBuilder) agents = g_strv_builder_new ();
  GHashTableIter iter = { 0 };
  gpointer key = NULL;

  g_hash_table_iter_init (&iter, self->lines);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (g_str_has_prefix (key, prefix))
      g_strv_builder_add (agents, (char *) key + strlen (prefix));
  return g_strv_builder_end (agents);
}

/**
 * reeve_run_queue_get_waiting:
 * @self: a queue
 * @tenant_id: a tenant
 *
 * Returns: how many runs of its agents wait
 */
guint
reeve_run_queue_get_waiting (ReeveRunQueue *self, const char *tenant_id)
{
  g_autofree char *prefix = g_strconcat (tenant_id, "/", NULL);
  GHashTableIter iter = { 0 };
  gpointer key = NULL;
  gpointer line = NULL;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->lines);
  while (g_hash_table_iter_next (&iter, &key, &line))
    if (g_str_has_prefix (key, prefix))
      n += ((ReeveRunQueueLine *) line)->waiting;
  return n;
}

/* How many go before run number @own of the user at @place of the ring, when nobody else comes. */
static guint
reeve_run_queue_count_before (const ReeveRunQueueLine *line, guint place, guint own)
{
  guint before = 0;
  guint i = 0;

  for (GList *l = line->users.head; l != NULL; l = l->next, i++)
    {
      const ReeveRunQueueUser *user = l->data;

      before += i == place ? own : MIN (user->runs.length, own + (i < place ? 1 : 0));
    }
  return before;
}

/**
 * reeve_run_queue_find:
 * @self: a queue
 * @tenant_id: a tenant
 * @agent_id: its agent
 * @run_id: a run
 * @state: (out): where it stands
 *
 * Returns: whether it waits
 */
gboolean
reeve_run_queue_find (ReeveRunQueue *self, const char *tenant_id, const char *agent_id,
                      const char *run_id, ReeveRunQueueState *state)
{
  const ReeveRunQueueLine *line = reeve_run_queue_find_line (self, tenant_id, agent_id);
  guint place = 0;

  for (GList *l = line != NULL ? line->users.head : NULL; l != NULL; l = l->next, place++)
    {
      ReeveRunQueueUser *user = l->data;
      GList *found = g_queue_find_custom (&user->runs, run_id, (GCompareFunc) strcmp);

      if (found == NULL)
        continue;
      *state = (ReeveRunQueueState){
        .place = 1
                 + reeve_run_queue_count_before (line, place,
                                                 (guint) g_queue_link_index (&user->runs, found)),
        .waiting = line->waiting,
        .going = g_hash_table_size (line->going),
        .limit = reeve_run_queue_get_limit (line),
      };
      return TRUE;
    }
  return FALSE;
}

/**
 * reeve_run_queue_describe:
 * @self: a queue
 * @ask: a run that had no place
 * @own: (out): how many of its user's wait
 * @waiting: (out): how many of its agent's wait
 * @wait: (out): in how many seconds a place may be free: as the last runs of this agent took
 */
void
reeve_run_queue_describe (ReeveRunQueue *self, const ReeveRunQueueAsk *ask, guint *own,
                          guint *waiting, guint *wait)
{
  ReeveRunQueueLine *line = reeve_run_queue_find_line (self, ask->tenant_id, ask->agent_id);
  const ReeveRunQueueUser *user
      = line != NULL ? reeve_run_queue_find_user (line, ask->user_id) : NULL;
  gint64 seconds = line != NULL
                       ? line->mean / MAX (reeve_run_queue_get_limit (line), 1) / G_USEC_PER_SEC + 1
                       : 1;

  *own = user != NULL ? user->runs.length : 0;
  *waiting = line != NULL ? line->waiting : 0;
  *wait = (guint) MIN (seconds, REEVE_RUN_QUEUE_MOST);
}

/**
 * reeve_run_queue_get_size:
 * @self: a queue
 *
 * Returns: how many agents have runs
 */
guint
reeve_run_queue_get_size (ReeveRunQueue *self)
{
  return g_hash_table_size (self->lines);
}
