/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An event is handed to each follower's context as a source of default priority: contexts run
 * sources of one priority in the order they were added, so order holds, and no callback runs under
 * the lock. */
#include "run-followers.h"

#include "listing.h"

/* Whether anything of a follower may be called still. It is all that stays of one whose end is on
 * its way, so that it can be removed until that arrives. */
typedef struct
{
  guint number;
  gint gone; /* atomic: removed or ended, nothing is called any more */
} ReeveRunFollowersSwitch;

typedef struct
{
  gatomicrefcount refs;
  ReeveRunFollowersSwitch *state;
  GMainContext *context;
  ReeveRunEventFunc events;
  void (*ended) (gpointer user_data);
  gpointer user_data;
  GDestroyNotify destroy;
  gboolean live; /* has the past; under the lock */
} ReeveRunFollowersItem;

typedef struct
{
  ReeveRunFollowersItem *item;
  const char *name; /* NULL: the end */
  JsonObject *data;
} ReeveRunFollowersEvent;

struct _ReeveRunFollowers
{
  GMutex lock; /* guards what follows */
  GPtrArray *items;
  GPtrArray *ending; /* of ReeveRunFollowersSwitch */
  guint last;
};

static void
reeve_run_followers_item_unref (gpointer data)
{
  ReeveRunFollowersItem *item = data;

  if (!g_atomic_ref_count_dec (&item->refs))
    return;
  if (item->destroy != NULL)
    item->destroy (item->user_data);
  g_main_context_unref (item->context);
  g_atomic_rc_box_release (item->state);
  g_free (item);
}

static ReeveRunFollowersItem *
reeve_run_followers_item_ref (ReeveRunFollowersItem *item)
{
  g_atomic_ref_count_inc (&item->refs);
  return item;
}

/**
 * reeve_run_followers_new:
 *
 * Returns: (transfer full): without followers
 */
ReeveRunFollowers *
reeve_run_followers_new (void)
{
  ReeveRunFollowers *self = g_new0 (ReeveRunFollowers, 1);

  g_mutex_init (&self->lock);
  self->items = g_ptr_array_new_with_free_func (reeve_run_followers_item_unref);
  self->ending = g_ptr_array_new_with_free_func (g_atomic_rc_box_release);
  return self;
}

/**
 * reeve_run_followers_free:
 * @self: (transfer full): followers
 */
void
reeve_run_followers_free (ReeveRunFollowers *self)
{
  g_ptr_array_unref (self->items);
  g_ptr_array_unref (self->ending);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/**
 * reeve_run_followers_add:
 * @self: followers
 * @context: where its functions are called
 * @events: (nullable): receives events
 * @ended: (nullable): called once when no event comes any more
 * @user_data: closure
 * @destroy: (nullable): frees it, in @context or where it is removed
 *
 * Returns: its number
 */
guint
reeve_run_followers_add (ReeveRunFollowers *self, GMainContext *context, ReeveRunEventFunc events,
                         void (*ended) (gpointer user_data), gpointer user_data,
                         GDestroyNotify destroy)
{
  ReeveRunFollowersItem *item = g_new0 (ReeveRunFollowersItem, 1);
  guint number = 0;

  g_atomic_ref_count_init (&item->refs);
  item->state = g_atomic_rc_box_new0 (ReeveRunFollowersSwitch);
  item->context = g_main_context_ref (context);
  item->events = events;
  item->ended = ended;
  item->user_data = user_data;
  item->destroy = destroy;
  g_mutex_lock (&self->lock);
  number = item->state->number = ++self->last;
  g_ptr_array_add (self->items, item);
  g_mutex_unlock (&self->lock);
  return number;
}

/**
 * reeve_run_followers_remove:
 * @self: followers
 * @follower: number of one
 *
 * Called in the follower's context, nothing of it is called afterwards.
 */
void
reeve_run_followers_remove (ReeveRunFollowers *self, guint follower)
{
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (reeve_run_followers_item_unref);

  g_mutex_lock (&self->lock);
  for (guint i = self->items->len; i > 0; i--)
    {
      ReeveRunFollowersItem *item = g_ptr_array_index (self->items, i - 1);

      if (item->state->number == follower)
        {
          g_atomic_int_set (&item->state->gone, TRUE);
          g_ptr_array_add (removed, g_ptr_array_steal_index (self->items, i - 1));
        }
    }
  for (guint i = self->ending->len; i > 0; i--)
    {
      ReeveRunFollowersSwitch *state = g_ptr_array_index (self->ending, i - 1);

      if (state->number == follower)
        {
          g_atomic_int_set (&state->gone, TRUE);
          g_ptr_array_remove_index_fast (self->ending, i - 1);
        }
    }
  g_mutex_unlock (&self->lock);
}

static gboolean
reeve_run_followers_deliver (gpointer data)
{
  ReeveRunFollowersEvent *event = data;
  ReeveRunFollowersItem *item = event->item;

  if (g_atomic_int_get (&item->state->gone))
    return G_SOURCE_REMOVE;
  if (event->name == NULL)
    {
      g_atomic_int_set (&item->state->gone, TRUE);
      if (item->ended != NULL)
        item->ended (item->user_data);
    }
  else if (item->events != NULL)
    item->events (event->name, event->data, item->user_data);
  return G_SOURCE_REMOVE;
}

static void
reeve_run_followers_event_free (gpointer data)
{
  ReeveRunFollowersEvent *event = data;

  reeve_run_followers_item_unref (event->item);
  g_clear_pointer (&event->data, json_object_unref);
  g_free (event);
}

static void
reeve_run_followers_queue (ReeveRunFollowersItem *item, const char *name, JsonObject *data)
{
  ReeveRunFollowersEvent *event = g_new0 (ReeveRunFollowersEvent, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  event->item = reeve_run_followers_item_ref (item);
  event->name = g_intern_string (name);
  /* for another thread: counts of objects are not atomic, those of their members are */
  event->data = data != NULL ? reeve_listing_dup (data) : NULL;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, reeve_run_followers_deliver, event,
                         reeve_run_followers_event_free);
  g_source_attach (source, item->context);
}

static GPtrArray *
reeve_run_followers_snapshot (ReeveRunFollowers *self, guint follower)
{
  GPtrArray *items = g_ptr_array_new_with_free_func (reeve_run_followers_item_unref);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->items->len; i++)
    {
      ReeveRunFollowersItem *item = g_ptr_array_index (self->items, i);

      if (item->state->number == follower || (follower == 0 && item->live))
        g_ptr_array_add (items, reeve_run_followers_item_ref (item));
    }
  g_mutex_unlock (&self->lock);
  return items;
}

/**
 * reeve_run_followers_send:
 * @self: followers
 * @follower: number of one, or 0 for all that are live
 * @name: of the event
 * @data: its data; not changed any more
 *
 * Called in the run's context.
 */
void
reeve_run_followers_send (ReeveRunFollowers *self, guint follower, const char *name,
                          JsonObject *data)
{
  g_autoptr (GPtrArray) items = reeve_run_followers_snapshot (self, follower);

  for (guint i = 0; i < items->len; i++)
    reeve_run_followers_queue (g_ptr_array_index (items, i), name, data);
}

/**
 * reeve_run_followers_set_live:
 * @self: followers
 * @follower: number of one
 *
 * It was sent the past: from now on it gets what is sent to all.
 */
void
reeve_run_followers_set_live (ReeveRunFollowers *self, guint follower)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->items->len; i++)
    {
      ReeveRunFollowersItem *item = g_ptr_array_index (self->items, i);

      if (item->state->number == follower)
        item->live = TRUE;
    }
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_run_followers_end:
 * @self: followers
 * @follower: number of one, or 0 for all that are live
 *
 * Tells them that no event comes any more.
 */
void
reeve_run_followers_end (ReeveRunFollowers *self, guint follower)
{
  g_autoptr (GPtrArray) items = reeve_run_followers_snapshot (self, follower);

  for (guint i = 0; i < items->len; i++)
    {
      ReeveRunFollowersItem *item = g_ptr_array_index (items, i);

      reeve_run_followers_queue (item, NULL, NULL);
      g_mutex_lock (&self->lock);
      g_ptr_array_add (self->ending, g_atomic_rc_box_acquire (item->state));
      g_ptr_array_remove (self->items, item);
      g_mutex_unlock (&self->lock);
    }
}

/**
 * reeve_run_followers_is_empty:
 * @self: followers
 *
 * Returns: whether nobody reads
 */
gboolean
reeve_run_followers_is_empty (ReeveRunFollowers *self)
{
  gboolean empty = FALSE;

  g_mutex_lock (&self->lock);
  empty = self->items->len == 0;
  g_mutex_unlock (&self->lock);
  return empty;
}
