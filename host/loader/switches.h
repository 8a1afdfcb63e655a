/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveSwitches: which plugins an administrator has disabled, by whom, since when and why. On disk,
 * beside what is quarantined, and not in the store: it must be known before the store's own plugin
 * is looked at. Any thread. */
#pragma once

#include <reeve-json.h>

G_BEGIN_DECLS

typedef struct _ReeveSwitches ReeveSwitches;

/* What switched a plugin off. */
typedef struct
{
  char *by;            /* (nullable): user id; NULL: the configuration, or nobody knows any more */
  char *since;         /* (nullable): time, as text */
  char *reason;        /* (nullable) */
  gboolean configured; /* key plugins.disabled names it */
} ReeveSwitchesEntry;

/* @folder: (nullable): where it is kept; NULL: it ends with the process. Blocks (reads it). */
ReeveSwitches *reeve_switches_new (const char *folder) G_GNUC_WARN_UNUSED_RESULT;
ReeveSwitches *reeve_switches_ref (ReeveSwitches *self);
void reeve_switches_unref (ReeveSwitches *self);
/* The configuration disables it. Before there are threads. */
void reeve_switches_configure (ReeveSwitches *self, const char *plugin_id);
/* Durable when it returns; one that is disabled already stays as it is. Blocks. */
gboolean reeve_switches_disable (ReeveSwitches *self, const char *plugin_id, const char *by,
                                 const char *reason, GError **error);
/* The same. %REEVE_ERROR_CONFLICT: the configuration disables it. Blocks. */
gboolean reeve_switches_enable (ReeveSwitches *self, const char *plugin_id, GError **error);
gboolean reeve_switches_is_off (ReeveSwitches *self, const char *plugin_id);
/* %FALSE with %REEVE_ERROR_UNAVAILABLE, which says who can do what about it. Never blocks; costs
 * next to nothing while all are enabled. */
gboolean reeve_switches_check (ReeveSwitches *self, const char *plugin_id, GError **error);
/* (transfer full) (nullable): what switched it off */
ReeveSwitchesEntry *reeve_switches_get (ReeveSwitches *self, const char *plugin_id);
void reeve_switches_entry_free (ReeveSwitchesEntry *entry);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveSwitches, reeve_switches_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveSwitchesEntry, reeve_switches_entry_free)

G_END_DECLS
