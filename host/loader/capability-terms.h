/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCapabilityTerms: what one grant allows, or the deployment's ceiling, as providers of
 * capabilities read it. Immutable once it is made. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Lists are NULL where the grant does not say. */
typedef struct
{
  char *grant_id;
  gint64 until;           /* µs since the epoch; 0: without end */
  char **origins;         /* net.http: scheme://host:port; NULL: whatever is public */
  char **methods;         /* net.http */
  char **claims;          /* identity.read */
  char **hosts;           /* net.stream, net.tcp: host:port */
  char **slots;           /* secret.use, secret.read; NULL: every slot of the plugin */
  char **folders;         /* of the ceiling: folder of fs.read and fs.write, or what it lies in */
  char *folder;           /* fs.read, fs.write: absolute */
  char **models;          /* model.call: names, "provider/" with a star for all of one; NULL: all */
  char **tools;           /* tool.call: names; NULL: all */
  char *glob;             /* fs.read, fs.write: of files' names */
  gint64 max_connections; /* net.tcp: at once; 0: the provider's own limit */
  gint64 max_per_second;  /* net.http: requests; 0: any number */
  gint64 max_per_minute;  /* the same */
  gint64 max_bytes;    /* net.http: of an answer; fs: of a file; store: of all that is kept; 0: the
                          provider's own limit */
  gint64 folder_bytes; /* fs.write: all that may lie in the folder; 0: the provider's own */
  gint64 folder_files; /* the same: how many */
  gint64 file_bytes;   /* of the ceiling: max_bytes of fs.read and fs.write; 0: none */
  gint64 store_bytes;  /* of the ceiling: max_bytes of store.kv and store.blob; 0: none */
  gint64 amount;       /* memory, scratch: MiB; threads; cpu: percent of a processor; 0: it does not
                          say */
  gint64 memory;       /* of the ceiling: amounts; 0: none */
  gint64 threads;
  gint64 cpu;
  gint64 scratch;
  gint64 tokens; /* model.call, tool.call: all in all in each tenant; 0: no bound */
  gint64 depth;  /* the same: calls that hang below one another; 0: one */
} ReeveCapabilityTerms;

ReeveCapabilityTerms *reeve_capability_terms_new (void) G_GNUC_WARN_UNUSED_RESULT;
ReeveCapabilityTerms *reeve_capability_terms_ref (ReeveCapabilityTerms *self);
void reeve_capability_terms_unref (ReeveCapabilityTerms *self);
/* Is @folder one of @list, or below one? NULL: everything is. */
gboolean reeve_capability_terms_has_folder (const char *const *list, const char *folder);
/* Of a ceiling: the amount that it leaves of @capability; 0: any */
gint64 reeve_capability_terms_get_amount (const ReeveCapabilityTerms *self, const char *capability);
/* Does @pattern, a name with its provider or a provider's with a star, have @model, which may be
 * such a pattern itself? */
gboolean reeve_capability_terms_covers_model (const char *pattern, const char *model);
/* NULL: everything is. Without regard to case. */
gboolean reeve_capability_terms_has (const char *const *list, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCapabilityTerms, reeve_capability_terms_unref)

G_END_DECLS
