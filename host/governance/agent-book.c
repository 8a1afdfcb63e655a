/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run is held to what its agent's record says now, not to what it said when the run began. The
 * gate must not block, so the records of agents that run are known here. An agent that is not in
 * the book has no effects.
 *
 * Who runs an agent holds it before he reads its record, and who changes a record sets the book
 * after the store has taken it: so whichever comes last, the newer revision stays. */
#include "agent-book.h"

typedef struct
{
  char *key;
  guint holders;
  gint64 revision; /* 0: its record was not read yet */
  ReeveAgentRole role;
  gboolean active;
} ReeveAgentBookEntry;

struct _ReeveAgentBook
{
  int references;
  GMutex mutex;
  GHashTable *entries; /* key -> ReeveAgentBookEntry */
};

struct _ReeveAgentHold
{
  ReeveAgentBook *book;
  ReeveAgentBookEntry *entry;
};

static const char *const reeve_agent_book_roles[]
    = { "executor", "planner", "reviewer", "admin", NULL };

static void
reeve_agent_book_entry_free (gpointer data)
{
  ReeveAgentBookEntry *entry = data;

  g_free (entry->key);
  g_free (entry);
}

/**
 * reeve_agent_book_new:
 *
 * Returns: (transfer full): an empty book
 */
ReeveAgentBook *
reeve_agent_book_new (void)
{
  ReeveAgentBook *self = g_new0 (ReeveAgentBook, 1);

  self->references = 1;
  g_mutex_init (&self->mutex);
  self->entries
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, reeve_agent_book_entry_free);
  return self;
}

/**
 * reeve_agent_book_ref:
 * @self: a book
 *
 * Returns: (transfer full): @self
 */
ReeveAgentBook *
reeve_agent_book_ref (ReeveAgentBook *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

/**
 * reeve_agent_book_unref:
 * @self: (transfer full): a book
 */
void
reeve_agent_book_unref (ReeveAgentBook *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_hash_table_unref (self->entries);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static char *
reeve_agent_book_key (const char *tenant_id, const char *agent_id)
{
  return g_strconcat (tenant_id, ":", agent_id, NULL);
}

/**
 * reeve_agent_book_hold:
 * @self: a book
 * @tenant_id: a tenant
 * @agent_id: an agent of it
 *
 * Returns: (transfer full): keeps it in the book
 */
ReeveAgentHold *
reeve_agent_book_hold (ReeveAgentBook *self, const char *tenant_id, const char *agent_id)
{
  g_autofree char *key = reeve_agent_book_key (tenant_id, agent_id);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  ReeveAgentBookEntry *entry = g_hash_table_lookup (self->entries, key);
  ReeveAgentHold *hold = g_new0 (ReeveAgentHold, 1);

  if (entry == NULL)
    {
      entry = g_new0 (ReeveAgentBookEntry, 1);
      entry->key = g_steal_pointer (&key);
      g_hash_table_insert (self->entries, entry->key, entry);
    }
  entry->holders++;
  hold->book = reeve_agent_book_ref (self);
  hold->entry = entry;
  return hold;
}

/**
 * reeve_agent_book_release:
 * @hold: (transfer full): of an agent
 */
void
reeve_agent_book_release (ReeveAgentHold *hold)
{
  g_autoptr (ReeveAgentBook) self = hold->book;

  g_mutex_lock (&self->mutex);
  if (--hold->entry->holders == 0)
    g_hash_table_remove (self->entries, hold->entry->key);
  g_mutex_unlock (&self->mutex);
  g_free (hold);
}

/**
 * reeve_agent_book_is_active:
 * @hold: of an agent
 *
 * Returns: whether it may have effects now
 */
gboolean
reeve_agent_book_is_active (ReeveAgentHold *hold)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&hold->book->mutex);

  return hold->entry->active;
}

/* A role that is not known, of a newer host, may least. */
static ReeveAgentRole
reeve_agent_book_find_role (const char *name)
{
  for (guint i = 0; reeve_agent_book_roles[i] != NULL; i++)
    if (g_strcmp0 (reeve_agent_book_roles[i], name) == 0)
      return (ReeveAgentRole) i;
  return REEVE_AGENT_PLANNER;
}

/**
 * reeve_agent_book_set:
 * @self: a book
 * @tenant_id: a tenant
 * @agent_id: an agent of it
 * @revision: of its record; %G_MAXINT64 for one that is gone
 * @role: name of its role
 * @active: whether it may be executed
 */
void
reeve_agent_book_set (ReeveAgentBook *self, const char *tenant_id, const char *agent_id,
                      gint64 revision, const char *role, gboolean active)
{
  g_autofree char *key = reeve_agent_book_key (tenant_id, agent_id);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  ReeveAgentBookEntry *entry = g_hash_table_lookup (self->entries, key);

  if (entry == NULL || revision < entry->revision)
    return;
  entry->revision = revision;
  entry->role = reeve_agent_book_find_role (role);
  entry->active = active;
}

static gboolean
reeve_agent_book_lets_call (ReeveAgentRole role, gboolean reads)
{
  return role == REEVE_AGENT_EXECUTOR || role == REEVE_AGENT_ADMIN
         || (role == REEVE_AGENT_REVIEWER && reads);
}

/**
 * reeve_agent_book_may_call:
 * @role: of an agent's record
 * @reads: whether the tool only reads
 *
 * Returns: whether an agent of that role may call such a tool
 */
gboolean
reeve_agent_book_may_call (const char *role, gboolean reads)
{
  return reeve_agent_book_lets_call (reeve_agent_book_find_role (role), reads);
}

static gboolean
reeve_agent_book_look_up (ReeveAgentBook *self, const char *tenant_id, const char *agent_id,
                          ReeveAgentRole *role)
{
  g_autofree char *key = reeve_agent_book_key (tenant_id, agent_id);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  ReeveAgentBookEntry *entry = g_hash_table_lookup (self->entries, key);

  if (entry == NULL || !entry->active)
    return FALSE;
  *role = entry->role;
  return TRUE;
}

/**
 * reeve_agent_book_find_role_name:
 * @self: a book
 * @tenant_id: a tenant
 * @agent_id: an agent of it
 *
 * Returns: (transfer none) (nullable): name of its role; %NULL where nobody holds it, or it is
 * deactivated
 */
const char *
reeve_agent_book_find_role_name (ReeveAgentBook *self, const char *tenant_id, const char *agent_id)
{
  ReeveAgentRole role = REEVE_AGENT_PLANNER;

  return reeve_agent_book_look_up (self, tenant_id, agent_id, &role) ? reeve_agent_book_roles[role]
                                                                     : NULL;
}

/* ---- the gate's checks ---- */

static gboolean
reeve_agent_book_knows (ReeveAgentBook *self, const ReeveAdmissionRequest *request,
                        ReeveAgentRole *role)
{
  return reeve_agent_book_look_up (self, reeve_caller_get_tenant_id (request->caller),
                                   request->agent_id, role);
}

/* Only what an agent does by itself; what is done to it names neither. */
static gboolean
reeve_agent_book_is_effect (const ReeveAdmissionRequest *request)
{
  return request->agent_id != NULL && (request->tool_name != NULL || request->model != NULL);
}

static gboolean
reeve_agent_book_check_active (const ReeveAdmissionRequest *request,
                               const ReeveSettlement *settlement, gpointer user_data,
                               GError **error)
{
  ReeveAgentRole role = REEVE_AGENT_PLANNER;

  if (!reeve_agent_book_is_effect (request) || reeve_agent_book_knows (user_data, request, &role))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the agent is deactivated");
  return FALSE;
}

static gboolean
reeve_agent_book_check_role (const ReeveAdmissionRequest *request,
                             const ReeveSettlement *settlement, gpointer user_data, GError **error)
{
  ReeveAgentRole role = REEVE_AGENT_PLANNER;

  if (!reeve_agent_book_is_effect (request) || request->tool_name == NULL)
    return TRUE;
  /* deactivated since the check before: as little as can be */
  if (!reeve_agent_book_knows (user_data, request, &role))
    role = REEVE_AGENT_PLANNER;
  if (reeve_agent_book_lets_call (role, request->tool_reads))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               role == REEVE_AGENT_REVIEWER
                   ? "an agent of role %s may only call tools that read, not %s"
                   : "an agent of role %s may not call tools, %s neither",
               reeve_agent_book_roles[role], request->tool_name);
  return FALSE;
}

/**
 * reeve_agent_book_guard:
 * @self: a book; lives as long as @admission takes requests
 * @admission: the gate
 *
 * From now on no agent has an effect that its record does not allow.
 */
void
reeve_agent_book_guard (ReeveAgentBook *self, ReeveAdmission *admission)
{
  reeve_admission_add_named_check (admission, REEVE_STAGE_AUTHORISE, "agent_inactive",
                                   reeve_agent_book_check_active, self);
  reeve_admission_add_named_check (admission, REEVE_STAGE_AUTHORISE, "agent_role",
                                   reeve_agent_book_check_role, self);
}
