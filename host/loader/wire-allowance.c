/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As the processors are shared (throttle.h): where all is used up, one at least has more than an
 * equal part, and those get nothing more; whoever has less may still have that. So all together
 * have twice as much at most, which is half of the descriptors. */
#include "wire-allowance.h"

#include <sys/resource.h>

/* the greater part is the host's own */
#define REEVE_WIRE_ALLOWANCE_PART 4

struct _ReeveWireAllowance
{
  gatomicrefcount references;
  guint most;
  gint kept;    /* atomic */
  gint runners; /* atomic */
};

guint
reeve_wire_allowance_read_most (void)
{
  struct rlimit limit = { 0 };

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > G_MAXINT)
    return G_MAXINT / REEVE_WIRE_ALLOWANCE_PART;
  return MAX ((guint) limit.rlim_cur / REEVE_WIRE_ALLOWANCE_PART, 1);
}

ReeveWireAllowance *
reeve_wire_allowance_new (guint most)
{
  ReeveWireAllowance *self = g_new0 (ReeveWireAllowance, 1);

  g_atomic_ref_count_init (&self->references);
  self->most = most;
  return self;
}

ReeveWireAllowance *
reeve_wire_allowance_ref (ReeveWireAllowance *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_wire_allowance_unref (ReeveWireAllowance *self)
{
  if (g_atomic_ref_count_dec (&self->references))
    g_free (self);
}

void
reeve_wire_allowance_join (ReeveWireAllowance *self)
{
  g_atomic_int_inc (&self->runners);
}

void
reeve_wire_allowance_leave (ReeveWireAllowance *self, guint kept)
{
  reeve_wire_allowance_change (self, kept, 0);
  g_atomic_int_add (&self->runners, -1);
}

void
reeve_wire_allowance_change (ReeveWireAllowance *self, guint before, guint now)
{
  g_atomic_int_add (&self->kept, (gint) now - (gint) before);
}

gboolean
reeve_wire_allowance_is_over (ReeveWireAllowance *self, guint kept, guint *all)
{
  guint runners = (guint) MAX (g_atomic_int_get (&self->runners), 1);

  *all = (guint) MAX (g_atomic_int_get (&self->kept), 0);
  return *all >= self->most && kept >= MAX (self->most / runners, 1);
}

guint
reeve_wire_allowance_get_most (ReeveWireAllowance *self)
{
  return self->most;
}
