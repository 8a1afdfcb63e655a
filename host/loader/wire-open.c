/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a runner that holds its plugin to a socket that is spoken on, and the end of it. */
#include "wire-private.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "wire/wire-method.h"

#define REEVE_WIRE_MAX_TYPES 32
/* between the end of its descriptors and that of a process */
#define REEVE_WIRE_END_US (G_USEC_PER_SEC / 4)

static const struct
{
  const char *name;
  ReeveWireKinds kind;
} reeve_wire_interfaces[] = {
  { WIRE_METHOD_PREFIX "Tool", REEVE_WIRE_TOOL },
  { WIRE_METHOD_PREFIX "Sink", REEVE_WIRE_SINK },
  { WIRE_METHOD_PREFIX "Extractor", REEVE_WIRE_EXTRACTOR },
  { WIRE_METHOD_PREFIX "LlmEngine", REEVE_WIRE_LLM_ENGINE },
  { WIRE_METHOD_PREFIX "LlmCodec", REEVE_WIRE_LLM_CODEC },
};

static gboolean
reeve_wire_open (ReeveWire *self, const ReeveWireLimits *limits, GError **error)
{
  g_autofree char *guid = g_dbus_generate_guid ();
  ReeveWirePassageSetup setup = { .runner = reeve_runner_get_pid (self->runner),
                                  .guid = guid,
                                  .host_time = reeve_runner_get_host_time (self->runner),
                                  .limits = limits,
                                  .take = reeve_wire_take,
                                  .ended = reeve_wire_on_ended,
                                  .overdue = reeve_wire_on_overdue,
                                  .user_data = self };

  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->wake < 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "eventfd (): %s", g_strerror (errno));
      return FALSE;
    }
  setup.socket = reeve_runner_take_wire (self->runner, error);
  if (setup.socket < 0)
    return FALSE;
  setup.pidfd = reeve_runner_copy_pidfd (self->runner);
  self->passage = reeve_wire_passage_new (&setup);
  reeve_wire_gate_add (reeve_wire_hub_get_gate (self->hub), self->passage);
  return TRUE;
}

static void
reeve_wire_add_type (ReeveWire *self, const char *name, char **interfaces)
{
  ReeveWireKinds kinds = 0;

  for (guint i = 0; interfaces[i] != NULL; i++)
    {
      for (guint j = 0; j < G_N_ELEMENTS (reeve_wire_interfaces); j++)
        {
          if (strcmp (interfaces[i], reeve_wire_interfaces[j].name) == 0)
            kinds |= reeve_wire_interfaces[j].kind;
        }
    }
  g_ptr_array_add (self->types, g_strdup (name));
  g_array_append_val (self->kinds, kinds);
}

/* What the plugin is, and what it has: the same as its manifest and the control socket said. */
static gboolean
reeve_wire_hello (ReeveWire *self, const ReeveWireOpening *opening, GError **error)
{
  const ReeveContextInfo info
      = { .struct_size = sizeof info, .deadline = g_get_monotonic_time () + opening->hello_us };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, opening->cancellable);
  const ReeveWireCall call = { .path = WIRE_METHOD_PATH,
                               .interface = WIRE_METHOD_PREFIX "Runner",
                               .member = "Hello",
                               .context = context,
                               .arguments = { g_variant_new_uint32 (REEVE_API_MAJOR),
                                              g_variant_new_uint32 (REEVE_API_MINOR) } };
  g_autoptr (GVariant) answer = reeve_wire_call (self, &call, error);
  g_autoptr (GVariantIter) types = NULL;
  const char *id = NULL;
  const char *version = NULL;
  const char *name = NULL;
  char **interfaces = NULL;

  if (answer == NULL)
    return FALSE;
  g_variant_get (answer, "(&s&sa(sas))", &id, &version, &types);
  if (strcmp (id, self->name) != 0 || strcmp (version, reeve_runner_get_version (self->runner)) != 0
      || g_variant_iter_n_children (types) > REEVE_WIRE_MAX_TYPES)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   "plugin %s: it says hello as another one", self->name);
      return FALSE;
    }
  while (g_variant_iter_next (types, "(&s^as)", &name, &interfaces))
    {
      reeve_wire_add_type (self, name, interfaces);
      g_strfreev (interfaces);
    }
  return TRUE;
}

/* Why there was no hello, rather than that there was none; @why: (inout). One that does not say it
 * in its time is killed. One that lives and was asked has said something else: a constructor may.
 */
static gboolean
reeve_wire_judge_fall (ReeveWire *self, const ReeveWireOpening *opening, GError **why)
{
  GError *end = NULL;
  g_autofree char *how = NULL;

  if (g_cancellable_is_cancelled (opening->cancellable))
    return FALSE;
  if (reeve_wire_has_ended (self, &end))
    {
      g_error_free (*why);
      *why = end;
      return TRUE;
    }
  if (g_error_matches (*why, REEVE_ERROR, REEVE_ERROR_TIMEOUT))
    {
      reeve_runner_kill (self->runner);
      g_clear_error (why);
      *why = g_error_new (REEVE_ERROR, REEVE_ERROR_TIMEOUT,
                          "plugin %s: its runner did not say hello within %g s "
                          "(plugins.setup_timeout), and was killed",
                          self->name, (double) opening->hello_us / G_USEC_PER_SEC);
      return TRUE;
    }
  if (!reeve_runner_is_over (self->runner, REEVE_WIRE_END_US))
    return self->passage != NULL;
  how = reeve_runner_describe_end (self->runner);
  g_clear_error (why);
  *why = g_error_new (REEVE_ERROR, REEVE_ERROR_PLUGIN, "plugin %s: its runner %s", self->name, how);
  return TRUE;
}

/**
 * reeve_wire_new:
 * @hub: what wires share
 * @runner: (transfer full): a runner that holds its plugin
 * @opening: how it begins
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a wire; reeve_wire_close() is its end
 */
ReeveWire *
reeve_wire_new (ReeveWireHub *hub, ReeveRunner *runner, const ReeveWireOpening *opening,
                GError **error)
{
  ReeveWire *self = g_new0 (ReeveWire, 1);
  const ReeveWireLimits *limits = opening->limits;
  GError *why = NULL;
  gboolean fell = FALSE;

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->wake = -1;
  self->loans = reeve_wire_loans_new (opening->kept, reeve_wire_hub_get_allowance (hub));
  self->hub = reeve_wire_hub_ref (hub);
  self->runner = runner;
  self->name = g_strdup (reeve_runner_get_plugin_id (runner));
  self->host_time = reeve_host_time_ref (reeve_runner_get_host_time (runner));
  self->share = reeve_wire_hub_new_share (hub, self->host_time);
  self->max_calls = limits != NULL && limits->calls != 0 ? limits->calls : 64;
  self->max_performed = reeve_runner_get_n_workers (runner);
  self->types = g_ptr_array_new_with_free_func (g_free);
  self->kinds = g_array_new (FALSE, FALSE, sizeof (ReeveWireKinds));
  self->calls = g_hash_table_new (g_direct_hash, g_direct_equal);
  if (reeve_wire_open (self, limits, &why) && reeve_wire_hello (self, opening, &why))
    return self;
  fell = reeve_wire_judge_fall (self, opening, &why);
  if (opening->fell != NULL)
    *opening->fell = fell;
  g_propagate_error (error, why);
  reeve_wire_close (self);
  reeve_wire_unref (self);
  return NULL;
}

/**
 * reeve_wire_close:
 * @self: a wire
 *
 * The runner is ended, and waited for. Calls that are under way fail; calls that come fail too.
 */
void
reeve_wire_close (ReeveWire *self)
{
  ReeveWirePassage *passage = NULL;
  g_autoptr (GError) closed = g_error_new (REEVE_ERROR, REEVE_ERROR_PLUGIN,
                                           "plugin %s: its runner is of no more use", self->name);

  g_mutex_lock (&self->lock);
  passage = g_steal_pointer (&self->passage);
  g_mutex_unlock (&self->lock);
  if (passage != NULL)
    reeve_wire_gate_remove (reeve_wire_hub_get_gate (self->hub), passage);
  reeve_wire_fail_calls (self, closed);
  g_clear_pointer (&passage, reeve_wire_passage_unref);
  g_clear_pointer (&self->runner, reeve_runner_free);
}

GPid
reeve_wire_get_runner_pid (ReeveWire *self)
{
  return reeve_runner_get_pid (self->runner);
}

void
reeve_wire_refill_cpu (ReeveWire *self)
{
  reeve_runner_refill_cpu (self->runner);
}

ReeveWireLoans *
reeve_wire_get_loans (ReeveWire *self)
{
  return self->loans;
}

ReeveHostTime *
reeve_wire_get_host_time (ReeveWire *self)
{
  return self->host_time;
}

void
reeve_wire_set_effects (ReeveWire *self, gboolean effects)
{
  self->effects = effects;
}

gboolean
reeve_wire_get_effects (ReeveWire *self)
{
  return self->effects;
}

guint
reeve_wire_get_n_types (ReeveWire *self)
{
  return self->types->len;
}

const char *
reeve_wire_get_type_name (ReeveWire *self, guint index)
{
  return g_ptr_array_index (self->types, index);
}

ReeveWireKinds
reeve_wire_get_type_kinds (ReeveWire *self, guint index)
{
  return g_array_index (self->kinds, ReeveWireKinds, index);
}
