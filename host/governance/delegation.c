/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever a plugin asks for is asked for by the caller of its call, who is remembered here and is
 * never named by the plugin. */
#include "delegation.h"

#include "loader/capability-level.h"

struct _ReeveDelegation
{
  gatomicrefcount refs;
  ReeveDelegation *above; /* (nullable) */
  ReeveCaller *caller;
  char *agent_id;
  char *delegated_user_id;
  char *run_id;
  char *workspace_id;
  char *sandbox_level;
  char *trace_id;
  char **agent_tools; /* (nullable) */
  gint64 estimated_tokens;
  guint level;
  guint left;
  ReeveDelegationBound bounds[REEVE_DELEGATION_BOUNDS];
  guint64 intent;
  GCancellable *over;
  guint turns; /* atomic */
  gint asked;  /* atomic: its plugin has asked for an effect of its own */
  GMutex lock; /* the three below */
  gint64 input_tokens;
  gint64 output_tokens;
  gint64 held_tokens;
};

static GQuark
reeve_delegation_quark (void)
{
  return g_quark_from_static_string ("reeve-delegation");
}

/**
 * reeve_delegation_new:
 * @request: as it is to be admitted; copied
 * @above: (nullable): the call in which a plugin asks for it
 *
 * Returns: (transfer full): not yet begun
 */
ReeveDelegation *
reeve_delegation_new (const ReeveAdmissionRequest *request, ReeveDelegation *above)
{
  ReeveDelegation *self = g_new0 (ReeveDelegation, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  self->above = above != NULL ? reeve_delegation_ref (above) : NULL;
  self->caller = reeve_caller_ref (request->caller);
  self->agent_id = g_strdup (request->agent_id);
  self->delegated_user_id = g_strdup (request->delegated_user_id);
  self->run_id = g_strdup (request->run_id);
  self->workspace_id = g_strdup (request->workspace_id);
  self->sandbox_level = g_strdup (request->sandbox_level);
  self->trace_id = g_strdup (request->trace_id);
  self->agent_tools = g_strdupv ((char **) request->agent_tools);
  self->estimated_tokens = request->estimated_tokens;
  self->level = above != NULL ? above->level + 1 : 0;
  self->left = REEVE_CAPABILITY_LEVEL_MAX;
  self->over = g_cancellable_new ();
  return self;
}

ReeveDelegation *
reeve_delegation_ref (ReeveDelegation *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
reeve_delegation_unref (ReeveDelegation *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_clear_pointer (&self->above, reeve_delegation_unref);
  reeve_caller_unref (self->caller);
  g_free (self->agent_id);
  g_free (self->delegated_user_id);
  g_free (self->run_id);
  g_free (self->workspace_id);
  g_free (self->sandbox_level);
  g_free (self->trace_id);
  g_strfreev (self->agent_tools);
  for (guint i = 0; i < REEVE_DELEGATION_BOUNDS; i++)
    g_free (self->bounds[i].counter);
  g_object_unref (self->over);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/**
 * reeve_delegation_limit:
 * @self: a call that has not begun
 * @left: how many calls may hang below one another below it
 * @bounds: (nullable): of the grant that let it through, and of the deployment
 */
void
reeve_delegation_limit (ReeveDelegation *self, guint left, const ReeveDelegationBound *bounds)
{
  self->left = left;
  for (guint i = 0; bounds != NULL && i < REEVE_DELEGATION_BOUNDS; i++)
    self->bounds[i] = (ReeveDelegationBound){ g_strdup (bounds[i].counter), bounds[i].limit };
}

static void
reeve_delegation_drop (gpointer data)
{
  reeve_delegation_unref (data);
}

/**
 * reeve_delegation_begin:
 * @self: a call
 * @admitted: the right to it
 * @context: of it, before the plugin has it
 */
void
reeve_delegation_begin (ReeveDelegation *self, ReeveAdmitted *admitted, ReeveContext *context)
{
  self->intent = reeve_admitted_get_intent (admitted);
  reeve_capability_level_set (context, self->level);
  g_object_set_qdata_full (G_OBJECT (context), reeve_delegation_quark (),
                           reeve_delegation_ref (self), reeve_delegation_drop);
}

/**
 * reeve_delegation_end:
 * @self: a call that has ended
 */
void
reeve_delegation_end (ReeveDelegation *self)
{
  g_cancellable_cancel (self->over);
}

/**
 * reeve_delegation_end_of:
 * @context: of a call that has ended
 */
void
reeve_delegation_end_of (ReeveContext *context)
{
  ReeveDelegation *self = g_object_get_qdata (G_OBJECT (context), reeve_delegation_quark ());

  if (self != NULL)
    reeve_delegation_end (self);
}

/**
 * reeve_delegation_find:
 * @context: of a call
 * @capability: for the error
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the call; %NULL with %REEVE_ERROR_CAPABILITY where nobody
 * made one, as while a plugin gets ready, or where it has ended
 */
ReeveDelegation *
reeve_delegation_find (ReeveContext *context, const char *capability, GError **error)
{
  ReeveDelegation *self = g_object_get_qdata (G_OBJECT (context), reeve_delegation_quark ());

  if (self != NULL && !g_cancellable_is_cancelled (self->over))
    return reeve_delegation_ref (self);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
               self != NULL ? "%s: the call that it was for is over"
                            : "%s: only within a call that is made for somebody",
               capability);
  return NULL;
}

gboolean
reeve_delegation_is_known (ReeveContext *context)
{
  return g_object_get_qdata (G_OBJECT (context), reeve_delegation_quark ()) != NULL;
}

void
reeve_delegation_note_asked (ReeveDelegation *self)
{
  g_atomic_int_set (&self->asked, TRUE);
}

gboolean
reeve_delegation_has_asked (ReeveContext *context)
{
  ReeveDelegation *self = g_object_get_qdata (G_OBJECT (context), reeve_delegation_quark ());

  return self != NULL && g_atomic_int_get (&self->asked);
}

/**
 * reeve_delegation_take_turn:
 * @self: a call
 * @capability: what its plugin asks for
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_RATE_LIMITED when too much has been asked for already
 */
gboolean
reeve_delegation_take_turn (ReeveDelegation *self, const char *capability, GError **error)
{
  ReeveDelegation *top = self;

  reeve_delegation_note_asked (self);
  while (top->above != NULL)
    top = top->above;
  if (g_atomic_int_get (&top->turns) < REEVE_DELEGATION_TURNS
      && g_atomic_int_add (&top->turns, 1) < REEVE_DELEGATION_TURNS)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED,
               "%s: plugins have asked %d times within this call, and may not ask again",
               capability, REEVE_DELEGATION_TURNS);
  return FALSE;
}

guint
reeve_delegation_get_level (ReeveDelegation *self)
{
  return self->level;
}

guint
reeve_delegation_get_left (ReeveDelegation *self)
{
  return self->left;
}

ReeveDelegation *
reeve_delegation_get_above (ReeveDelegation *self)
{
  return self->above;
}

const ReeveDelegationBound *
reeve_delegation_get_bounds (ReeveDelegation *self)
{
  return self->bounds;
}

GCancellable *
reeve_delegation_get_over (ReeveDelegation *self)
{
  return self->over;
}

ReeveCaller *
reeve_delegation_get_caller (ReeveDelegation *self)
{
  return self->caller;
}

/* Of the execution, as far as is known here: what it had before the first call, and what models
 * took below that since. */
static gint64
reeve_delegation_sum_tokens (ReeveDelegation *self)
{
  gint64 input = 0;
  gint64 output = 0;

  while (self->above != NULL)
    self = self->above;
  reeve_delegation_get_tokens (self, &input, &output, NULL);
  return self->estimated_tokens + input + output;
}

/**
 * reeve_delegation_describe:
 * @self: a call
 * @request: what its plugin asks for; its strings are @self's
 */
void
reeve_delegation_describe (ReeveDelegation *self, ReeveAdmissionRequest *request)
{
  request->caller = self->caller;
  request->agent_id = self->agent_id;
  request->delegated_user_id = self->delegated_user_id;
  request->run_id = self->run_id;
  request->workspace_id = self->workspace_id;
  request->sandbox_level = self->sandbox_level;
  request->trace_id = self->trace_id;
  request->agent_tools = (const char *const *) self->agent_tools;
  request->parent = self->intent;
  request->estimated_tokens = reeve_delegation_sum_tokens (self);
}

/**
 * reeve_delegation_note_tokens:
 * @self: a call
 * @input: tokens that a model read for it
 * @output: tokens that it wrote
 */
void
reeve_delegation_note_tokens (ReeveDelegation *self, gint64 input, gint64 output)
{
  for (ReeveDelegation *one = self; one != NULL; one = one->above)
    {
      g_mutex_lock (&one->lock);
      one->input_tokens += input;
      one->output_tokens += output;
      g_mutex_unlock (&one->lock);
    }
}

/**
 * reeve_delegation_hold_tokens:
 * @self: a call
 * @tokens: that a model may take for it; negative: that it may take no more
 *
 * Until they are given back, calls at the same time count with them.
 *
 * Returns: the tokens of the execution, these and what others hold included
 */
gint64
reeve_delegation_hold_tokens (ReeveDelegation *self, gint64 tokens)
{
  ReeveDelegation *top = self;
  gint64 held = 0;

  while (top->above != NULL)
    top = top->above;
  g_mutex_lock (&top->lock);
  top->held_tokens += tokens;
  held = top->held_tokens;
  held += top->estimated_tokens + top->input_tokens + top->output_tokens;
  g_mutex_unlock (&top->lock);
  return held;
}

/**
 * reeve_delegation_get_tokens:
 * @self: a call
 * @input: (out): tokens that models read below it so far
 * @output: (out): tokens that they wrote
 * @held: (out) (optional): tokens that those may take yet that are under way, of a call that no
 *   plugin asked for; what one has taken may be counted twice for a moment, and is never left out
 */
void
reeve_delegation_get_tokens (ReeveDelegation *self, gint64 *input, gint64 *output, gint64 *held)
{
  g_mutex_lock (&self->lock);
  *input = self->input_tokens;
  *output = self->output_tokens;
  if (held != NULL)
    *held = self->held_tokens;
  g_mutex_unlock (&self->lock);
}
