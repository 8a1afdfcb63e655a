/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RLIMIT_CPU counts from the start of a process, and a plugin's lives as long as it is called. The
 * processor's time of any process can be read (clock_getcpuclockid(3)), and whoever started it may
 * stop it; it cannot keep that from happening, and a process that is stopped runs in no thread. */
#include "throttle.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cgroup.h"

/* what can be saved up: so much time of what it may use; short work is never held up */
#define REEVE_THROTTLE_SAVED_US (2 * G_USEC_PER_SEC)
/* no look comes sooner */
#define REEVE_THROTTLE_SOON_US (50 * 1000)

typedef struct
{
  GPid pid;
  int pidfd;
  ReeveHostTime *host;        /* (nullable) */
  gint64 own;                 /* what the process had used when it was read last */
  gint64 due;                 /* G_MAXINT64: it has no bound of its own */
  ReeveThrottleRation ration; /* its own */
  gint64 used;                /* at the last look at all of them */
  gint64 lately;              /* between the last two */
  gboolean held;              /* they use too much together, and it more than its part */
  gboolean stopped;
} ReeveThrottleItem;

struct _ReeveThrottle
{
  guint processors;
  guint32 share; /* of all together: percent of a processor; 0: no bound */
  GMutex lock;   /* all below */
  GCond changed;
  ReeveThrottleRation all;
  gint64 all_used;
  gint64 all_due;
  GPtrArray *items; /* ReeveThrottleItem */
  GThread *thread;  /* (nullable): since the first */
  gboolean quit;
};

/* ---- counting ---- */

static gint64
reeve_throttle_ration_get_most (const ReeveThrottleRation *self)
{
  return (gint64) self->percent * REEVE_THROTTLE_SAVED_US / 100;
}

void
reeve_throttle_ration_init (ReeveThrottleRation *self, guint32 percent, gint64 now, gint64 used)
{
  *self = (ReeveThrottleRation){ .percent = percent, .looked = now, .used = used };
  self->saved = reeve_throttle_ration_get_most (self);
}

gint64
reeve_throttle_ration_look (ReeveThrottleRation *self, gint64 now, gint64 used, guint processors)
{
  gint64 rate = self->percent;
  gint64 most = (gint64) processors * 100;

  self->saved += (now - self->looked) * rate / 100 - (used - self->used);
  self->saved = MIN (self->saved, reeve_throttle_ration_get_most (self));
  self->looked = now;
  self->used = used;
  self->stopped = self->saved <= 0;
  /* until it has as much as it takes for a moment, or could have used all of it up */
  if (self->stopped)
    return now + MAX (-self->saved * 100 / rate, 0) + REEVE_THROTTLE_SOON_US;
  if (most <= rate)
    return now + REEVE_THROTTLE_SAVED_US;
  return now + MAX (self->saved * 100 / (most - rate), REEVE_THROTTLE_SOON_US);
}

/* ---- processes ---- */

/* Microseconds, with what the host used for it; of one that has ended, what it had used: somebody
 * else may have its number. */
static gint64
reeve_throttle_read_used (ReeveThrottleItem *item)
{
  struct pollfd ended = { .fd = item->pidfd, .events = POLLIN };
  gint64 host = item->host != NULL ? reeve_host_time_get_used (item->host) : 0;
  clockid_t clock = 0;
  struct timespec used = { 0 };

  if (poll (&ended, 1, 0) == 0 && clock_getcpuclockid (item->pid, &clock) == 0
      && clock_gettime (clock, &used) == 0)
    item->own = (gint64) used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
  return item->own + host;
}

static void
reeve_throttle_item_free (gpointer data)
{
  ReeveThrottleItem *item = data;

  if (item->pidfd >= 0)
    close (item->pidfd);
  g_clear_pointer (&item->host, reeve_host_time_unref);
  g_free (item);
}

static void
reeve_throttle_send (const ReeveThrottleItem *item, int number)
{
  syscall (SYS_pidfd_send_signal, item->pidfd, number, NULL, 0);
}

static void
reeve_throttle_decide (ReeveThrottleItem *item)
{
  gboolean stopped = item->ration.stopped || item->held;

  if (stopped == item->stopped)
    return;
  /* what it has sent waits with it */
  if (item->host != NULL)
    reeve_host_time_set_held (item->host, stopped);
  reeve_throttle_send (item, stopped ? SIGSTOP : SIGCONT);
  item->stopped = stopped;
}

/* Under the lock, as all of these; nothing of it waits. Returns when to look at it again. */
static gint64
reeve_throttle_look (ReeveThrottle *self, ReeveThrottleItem *item, gint64 now)
{
  gint64 used = reeve_throttle_read_used (item);

  item->due = reeve_throttle_ration_look (&item->ration, now, used, self->processors);
  reeve_throttle_decide (item);
  return item->due;
}

/* What it used since the last look at all of them. */
static gint64
reeve_throttle_count (ReeveThrottle *self, ReeveThrottleItem *item)
{
  gint64 used = reeve_throttle_read_used (item);

  item->lately = used - item->used;
  item->used = used;
  self->all_used += item->lately;
  return item->lately;
}

/* Where all of them used too much, one of them at least used more than an equal part of what they
 * may: those are held up, and whoever used less is not. Returns when to look again. */
static gint64
reeve_throttle_look_at_all (ReeveThrottle *self, gint64 now)
{
  gint64 may = (now - self->all.looked) * self->share / 100;
  gint64 users = 0;

  for (guint i = 0; i < self->items->len; i++)
    {
      ReeveThrottleItem *item = g_ptr_array_index (self->items, i);

      users += reeve_throttle_count (self, item) > 0 || item->held;
    }
  self->all_due = reeve_throttle_ration_look (&self->all, now, self->all_used, self->processors);
  for (guint i = 0; i < self->items->len; i++)
    {
      ReeveThrottleItem *item = g_ptr_array_index (self->items, i);

      item->held = self->all.stopped && (item->held || item->lately * users > may);
      reeve_throttle_decide (item);
    }
  return self->all_due;
}

/* Whatever is due. Returns when the next is. */
static gint64
reeve_throttle_look_around (ReeveThrottle *self, gint64 now)
{
  gint64 next = G_MAXINT64;

  for (guint i = 0; i < self->items->len; i++)
    {
      ReeveThrottleItem *item = g_ptr_array_index (self->items, i);

      next = MIN (next, item->due <= now ? reeve_throttle_look (self, item, now) : item->due);
    }
  if (self->share == 0 || self->items->len == 0)
    return next;
  return MIN (next, self->all_due <= now ? reeve_throttle_look_at_all (self, now) : self->all_due);
}

static gpointer
reeve_throttle_main (gpointer data)
{
  ReeveThrottle *self = data;

  g_mutex_lock (&self->lock);
  while (!self->quit)
    {
      gint64 next = reeve_throttle_look_around (self, g_get_monotonic_time ());

      if (next == G_MAXINT64)
        g_cond_wait (&self->changed, &self->lock);
      else
        g_cond_wait_until (&self->changed, &self->lock, next);
    }
  g_mutex_unlock (&self->lock);
  return NULL;
}

ReeveThrottle *
reeve_throttle_new (guint32 share)
{
  ReeveThrottle *self = g_new0 (ReeveThrottle, 1);

  self->processors = reeve_cgroup_count_processors ();
  /* they could not use more if they would */
  self->share = share < self->processors * 100 ? share : 0;
  reeve_throttle_ration_init (&self->all, self->share, g_get_monotonic_time (), 0);
  self->items = g_ptr_array_new_with_free_func (reeve_throttle_item_free);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  return self;
}

void
reeve_throttle_free (ReeveThrottle *self)
{
  g_mutex_lock (&self->lock);
  self->quit = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  if (self->thread != NULL)
    g_thread_join (self->thread);
  g_ptr_array_unref (self->items);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

void
reeve_throttle_add (ReeveThrottle *self, GPid pid, guint32 percent, ReeveHostTime *host)
{
  gboolean bound = percent < self->processors * 100;
  ReeveThrottleItem *item = NULL;

  if (!bound && self->share == 0)
    return;
  item = g_new0 (ReeveThrottleItem, 1);
  item->pid = pid;
  item->due = bound ? 0 : G_MAXINT64;
  item->host = host != NULL ? reeve_host_time_ref (host) : NULL;
  /* so that a signal goes to no other process, whoever has that number later */
  item->pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
  item->used = reeve_throttle_read_used (item);
  reeve_throttle_ration_init (&item->ration, percent, g_get_monotonic_time (), item->used);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->items, item);
  if (self->thread == NULL)
    self->thread = g_thread_new ("runners-cpu", reeve_throttle_main, self);
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
reeve_throttle_refill (ReeveThrottle *self, GPid pid)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->items->len; i++)
    {
      ReeveThrottleItem *item = g_ptr_array_index (self->items, i);

      if (item->pid != pid)
        continue;
      reeve_throttle_ration_init (&item->ration, item->ration.percent, g_get_monotonic_time (),
                                  reeve_throttle_read_used (item));
      item->held = FALSE;
      /* when it is looked at next is counted anew too */
      item->due = item->due == G_MAXINT64 ? G_MAXINT64 : 0;
      reeve_throttle_decide (item);
    }
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

gboolean
reeve_throttle_go_on (ReeveThrottle *self, GPid pid)
{
  gboolean found = FALSE;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->items->len && !found; i++)
    {
      const ReeveThrottleItem *item = g_ptr_array_index (self->items, i);

      found = item->pid == pid;
      if (found && !item->stopped)
        reeve_throttle_send (item, SIGCONT);
    }
  g_mutex_unlock (&self->lock);
  return found;
}

void
reeve_throttle_remove (ReeveThrottle *self, GPid pid)
{
  g_mutex_lock (&self->lock);
  for (guint i = self->items->len; i > 0; i--)
    {
      ReeveThrottleItem *item = g_ptr_array_index (self->items, i - 1);

      if (item->pid != pid)
        continue;
      item->held = item->ration.stopped = FALSE;
      reeve_throttle_decide (item);
      reeve_throttle_count (self, item);
      g_ptr_array_remove_index_fast (self->items, i - 1);
    }
  g_mutex_unlock (&self->lock);
}
