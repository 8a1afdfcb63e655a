/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePolicyDocument: policies as code: what files of YAML or JSON say of one tenant, by
 * data/policy.schema.json. Everything that is wrong is a finding with file, line and key. No host
 * is asked; of one thread. */
#pragma once

#include "policy.h"

G_BEGIN_DECLS

/* What is wrong, or could be meant otherwise. */
typedef struct
{
  gboolean error; /* else a warning */
  const char *code;
  char *file;
  guint line;
  char *key; /* agents.reporter.tools[0], as people write it; "" for the whole file */
  char *pointer;
  char *message;
} ReevePolicyFinding;

typedef struct _ReevePolicyDocument ReevePolicyDocument;

/* One policy of it. */
typedef struct
{
  char *agent; /* id or name; NULL: the org's */
  ReevePolicy *policy;
  JsonObject *object; /* what it was made of */
  guint file;         /* number of the file it stands in */
  char *pointer;      /* where there */
} ReevePolicyDocumentEntry;

/* One test of it. */
typedef struct
{
  JsonObject *test;
  guint file;
  char *pointer;
} ReevePolicyDocumentTest;

ReevePolicyDocument *reeve_policy_document_new (void);
void reeve_policy_document_free (ReevePolicyDocument *self);
/* One more file; FALSE: there are faults among the findings. */
gboolean reeve_policy_document_add (ReevePolicyDocument *self, const char *name, const char *text,
                                    gsize length);
gboolean reeve_policy_document_add_file (ReevePolicyDocument *self, const char *path);

/* (transfer none) (element-type ReevePolicyFinding): in the order of files and lines */
GPtrArray *reeve_policy_document_list_findings (ReevePolicyDocument *self);
gboolean reeve_policy_document_has_errors (ReevePolicyDocument *self);
/* (transfer none) (element-type ReevePolicyDocumentEntry) */
GPtrArray *reeve_policy_document_list_entries (ReevePolicyDocument *self);
/* (transfer none) (element-type ReevePolicyDocumentTest) */
GPtrArray *reeve_policy_document_list_tests (ReevePolicyDocument *self);
/* (nullable) (transfer none); @agent NULL: the org's */
ReevePolicyDocumentEntry *reeve_policy_document_find (ReevePolicyDocument *self, const char *agent);
/* (transfer full) {org?, agents?}: what policies.apply takes */
JsonObject *reeve_policy_document_dup_policies (ReevePolicyDocument *self);
/* @pointer: in that file; @code: a static word. @message: (transfer full) */
void reeve_policy_document_report (ReevePolicyDocument *self, guint file, const char *pointer,
                                   gboolean error, const char *code, char *message);
/* Line of what stands there, or of what that would stand in. */
guint reeve_policy_document_find_line (ReevePolicyDocument *self, guint file, const char *pointer);
const char *reeve_policy_document_get_file_name (ReevePolicyDocument *self, guint file);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePolicyDocument, reeve_policy_document_free)

G_END_DECLS
