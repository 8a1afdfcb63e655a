/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files are read by the configuration's reader of YAML, which knows the line of everything, held to
 * the schema, and compiled by reeve_policy_new() as the host will. JSON goes through the strict
 * scanner first. Nothing in them is expanded. */
#include "policy-document.h"

#include <string.h>

#include "base/config-values.h"

#define REEVE_POLICY_DOCUMENT_MOST 256 /* findings that are kept */

extern const ReeveSchemaNode *const reeve_policy_schema;

typedef struct
{
  char *name;
  ReeveConfigNode *root; /* (nullable): could not be read */
} ReevePolicyDocumentFile;

struct _ReevePolicyDocument
{
  GPtrArray *files;
  GPtrArray *findings;
  GPtrArray *entries;
  GPtrArray *tests;
  GHashTable *known; /* agent, or "" -> ReevePolicyDocumentEntry */
  guint errors;
};

/* ---- life ---- */

static void
reeve_policy_document_file_free (gpointer data)
{
  ReevePolicyDocumentFile *file = data;

  g_free (file->name);
  g_clear_pointer (&file->root, reeve_config_yaml_unref);
  g_free (file);
}

static void
reeve_policy_document_finding_free (gpointer data)
{
  ReevePolicyFinding *finding = data;

  g_free (finding->file);
  g_free (finding->key);
  g_free (finding->pointer);
  g_free (finding->message);
  g_free (finding);
}

static void
reeve_policy_document_entry_free (gpointer data)
{
  ReevePolicyDocumentEntry *entry = data;

  g_free (entry->agent);
  g_clear_pointer (&entry->policy, reeve_policy_unref);
  g_clear_pointer (&entry->object, json_object_unref);
  g_free (entry->pointer);
  g_free (entry);
}

static void
reeve_policy_document_test_free (gpointer data)
{
  ReevePolicyDocumentTest *test = data;

  json_object_unref (test->test);
  g_free (test->pointer);
  g_free (test);
}

/**
 * reeve_policy_document_new:
 *
 * Returns: (transfer full): a document that says nothing yet
 */
ReevePolicyDocument *
reeve_policy_document_new (void)
{
  ReevePolicyDocument *self = g_new0 (ReevePolicyDocument, 1);

  self->files = g_ptr_array_new_with_free_func (reeve_policy_document_file_free);
  self->findings = g_ptr_array_new_with_free_func (reeve_policy_document_finding_free);
  self->entries = g_ptr_array_new_with_free_func (reeve_policy_document_entry_free);
  self->tests = g_ptr_array_new_with_free_func (reeve_policy_document_test_free);
  self->known = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

/**
 * reeve_policy_document_free:
 * @self: (transfer full): a document
 */
void
reeve_policy_document_free (ReevePolicyDocument *self)
{
  g_hash_table_unref (self->known);
  g_ptr_array_unref (self->tests);
  g_ptr_array_unref (self->entries);
  g_ptr_array_unref (self->findings);
  g_ptr_array_unref (self->files);
  g_free (self);
}

/* ---- places ---- */

static ReeveConfigNode *
reeve_policy_document_step (ReeveConfigNode *node, const char *part)
{
  guint64 index = 0;

  if (node->kind == REEVE_CONFIG_MAP)
    return reeve_config_yaml_get (node, part);
  if (node->kind == REEVE_CONFIG_LIST
      && g_ascii_string_to_unsigned (part, 10, 0, G_MAXUINT32, &index, NULL)
      && index < node->children->len)
    return g_ptr_array_index (node->children, (guint) index);
  return NULL;
}

/**
 * reeve_policy_document_find_line:
 * @self: a document
 * @file: number of a file
 * @pointer: JSON pointer in it
 *
 * Returns: line of what stands there, or of the nearest thing around it
 */
guint
reeve_policy_document_find_line (ReevePolicyDocument *self, guint file, const char *pointer)
{
  ReevePolicyDocumentFile *of = g_ptr_array_index (self->files, file);
  ReeveConfigNode *node = of->root;
  g_auto (GStrv) parts = g_strsplit (*pointer == '/' ? pointer + 1 : pointer, "/", -1);
  guint line = node != NULL ? node->line : 1;

  for (guint i = 0; node != NULL && parts[i] != NULL; i++)
    {
      g_autoptr (GString) part = g_string_new (parts[i]);

      g_string_replace (part, "~1", "/", 0);
      g_string_replace (part, "~0", "~", 0);
      node = reeve_policy_document_step (node, part->str);
      line = node != NULL ? node->line : line;
    }
  return line;
}

/**
 * reeve_policy_document_get_file_name:
 * @self: a document
 * @file: number of a file
 *
 * Returns: (transfer none): its name
 */
const char *
reeve_policy_document_get_file_name (ReevePolicyDocument *self, guint file)
{
  return ((ReevePolicyDocumentFile *) g_ptr_array_index (self->files, file))->name;
}

/**
 * reeve_policy_document_report:
 * @self: a document
 * @file: number of a file
 * @pointer: JSON pointer in it
 * @error: whether it is a fault; else a warning
 * @code: (transfer none): a static word
 * @message: (transfer full): what is wrong
 *
 * Adds a finding. Of very many only the number is kept.
 */
void
reeve_policy_document_report (ReevePolicyDocument *self, guint file, const char *pointer,
                              gboolean error, const char *code, char *message)
{
  ReevePolicyFinding *finding = NULL;

  self->errors += error ? 1 : 0;
  if (self->findings->len >= REEVE_POLICY_DOCUMENT_MOST)
    {
      g_free (message);
      return;
    }
  finding = g_new0 (ReevePolicyFinding, 1);
  finding->error = error;
  finding->code = code;
  finding->file = g_strdup (reeve_policy_document_get_file_name (self, file));
  finding->line = reeve_policy_document_find_line (self, file, pointer);
  finding->key = reeve_config_values_key (pointer);
  finding->pointer = g_strdup (pointer);
  finding->message = message;
  g_ptr_array_add (self->findings, finding);
}

/* ---- reading ---- */

/* "FILE:LINE: what" of the reader of YAML, taken apart */
static void
reeve_policy_document_report_syntax (ReevePolicyDocument *self, guint file, const char *text)
{
  const char *name = reeve_policy_document_get_file_name (self, file);
  guint64 line = 1;
  char *end = NULL;

  if (g_str_has_prefix (text, name) && text[strlen (name)] == ':')
    {
      line = g_ascii_strtoull (text + strlen (name) + 1, &end, 10);
      text = end[0] == ':' ? end + 1 : end;
    }
  reeve_policy_document_report (self, file, "", TRUE, "syntax",
                                g_strdup (text + strspn (text, " ")));
  if (self->findings->len > 0)
    ((ReevePolicyFinding *) g_ptr_array_index (self->findings, self->findings->len - 1))->line
        = (guint) line;
}

static JsonNode *
reeve_policy_document_read (ReevePolicyDocument *self, guint number, const char *text, gsize length,
                            GError **error)
{
  ReevePolicyDocumentFile *file = g_ptr_array_index (self->files, number);
  g_autoptr (GHashTable) origins = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) reeve_config_values_origin_free);
  const ReeveConfigSource source
      = { .label = file->name, .with_lines = TRUE, .literal = TRUE, .origins = origins };
  g_autoptr (JsonNode) checked = NULL;

  if (g_str_has_suffix (file->name, ".json"))
    {
      checked = reeve_json_parse_strict (text, length, error);
      if (checked == NULL)
        return NULL;
    }
  file->root = reeve_config_yaml_parse_large (text, length, file->name, error);
  if (file->root == NULL)
    return NULL;
  return reeve_config_values_convert (&source, file->root, reeve_policy_schema, "", error);
}

static gboolean
reeve_policy_document_check (ReevePolicyDocument *self, guint file, JsonNode *node)
{
  g_autoptr (ReeveSchema) schema = reeve_schema_new_from_static (reeve_policy_schema);
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) error = NULL;
  guint before = self->errors;

  if (reeve_schema_validate (schema, node, &faults, &error))
    return TRUE;
  if (error != NULL && (faults == NULL || faults->len == 0))
    reeve_policy_document_report (self, file, "", TRUE, "schema", g_strdup (error->message));
  for (guint i = 0; faults != NULL && i < faults->len; i++)
    {
      ReeveSchemaFault *fault = g_ptr_array_index (faults, i);

      reeve_policy_document_report (self, file, fault->pointer, TRUE, "schema",
                                    g_strdup (fault->message));
    }
  return self->errors == before;
}

static void
reeve_policy_document_add_policy (ReevePolicyDocument *self, guint file, const char *agent,
                                  const char *pointer, JsonObject *object)
{
  ReevePolicyDocumentEntry *entry = NULL;
  ReevePolicyDocumentEntry *before = g_hash_table_lookup (self->known, agent != NULL ? agent : "");
  g_autoptr (JsonObject) stripped = reeve_policy_normalize (object);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReevePolicy) policy = reeve_policy_new (
      stripped, agent != NULL ? REEVE_POLICY_LAYER_AGENT : REEVE_POLICY_LAYER_ORG, 0, NULL, &error);

  if (policy == NULL)
    {
      const char *member = reeve_error_get_member (error);
      g_autofree char *faulty = g_strconcat (pointer, member, NULL);

      reeve_policy_document_report (self, file, faulty, TRUE, "policy", g_strdup (error->message));
      return;
    }
  if (before != NULL)
    {
      reeve_policy_document_report (
          self, file, pointer, TRUE, "twice",
          g_strdup_printf ("it has a policy already, in %s:%u",
                           reeve_policy_document_get_file_name (self, before->file),
                           reeve_policy_document_find_line (self, before->file, before->pointer)));
      return;
    }
  entry = g_new0 (ReevePolicyDocumentEntry, 1);
  entry->agent = g_strdup (agent);
  entry->policy = g_steal_pointer (&policy);
  entry->object = g_steal_pointer (&stripped);
  entry->file = file;
  entry->pointer = g_strdup (pointer);
  g_ptr_array_add (self->entries, entry);
  g_hash_table_insert (self->known, entry->agent != NULL ? entry->agent : (char *) "", entry);
}

static void
reeve_policy_document_take (ReevePolicyDocument *self, guint file, JsonObject *root)
{
  JsonObject *org = reeve_json_get_object (root, "org");
  JsonObject *agents = reeve_json_get_object (root, "agents");
  JsonArray *tests = reeve_json_get_array (root, "tests");
  g_autoptr (GList) names = agents != NULL ? json_object_get_members (agents) : NULL;

  if (org != NULL)
    reeve_policy_document_add_policy (self, file, NULL, "/org", org);
  for (GList *l = names; l != NULL; l = l->next)
    {
      g_autofree char *pointer = reeve_config_values_join ("/agents", l->data);

      reeve_policy_document_add_policy (self, file, l->data, pointer,
                                        json_object_get_object_member (agents, l->data));
    }
  for (guint i = 0; tests != NULL && i < json_array_get_length (tests); i++)
    {
      ReevePolicyDocumentTest *test = g_new0 (ReevePolicyDocumentTest, 1);

      test->test = json_object_ref (json_array_get_object_element (tests, i));
      test->file = file;
      test->pointer = g_strdup_printf ("/tests/%u", i);
      g_ptr_array_add (self->tests, test);
    }
}

/**
 * reeve_policy_document_add:
 * @self: a document
 * @name: name of the file, for findings; one that ends with .json is JSON and nothing else
 * @text: what it says, not necessarily terminated
 * @length: its bytes
 *
 * Returns: %FALSE when something is wrong in it: see the findings
 */
gboolean
reeve_policy_document_add (ReevePolicyDocument *self, const char *name, const char *text,
                           gsize length)
{
  guint number = self->files->len;
  guint before = self->errors;
  ReevePolicyDocumentFile *file = g_new0 (ReevePolicyDocumentFile, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;

  file->name = g_strdup (name);
  g_ptr_array_add (self->files, file);
  node = reeve_policy_document_read (self, number, text, length, &error);
  if (node == NULL)
    {
      reeve_policy_document_report_syntax (
          self, number, error != NULL ? error->message : "there is nothing in the file");
      return FALSE;
    }
  if (reeve_policy_document_check (self, number, node))
    reeve_policy_document_take (self, number, json_node_get_object (node));
  return self->errors == before;
}

/**
 * reeve_policy_document_add_file:
 * @self: a document
 * @path: of a file; `-` is standard input
 *
 * Returns: %FALSE when it cannot be read, or something is wrong in it: see the findings
 */
gboolean
reeve_policy_document_add_file (ReevePolicyDocument *self, const char *path)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (GError) error = NULL;
  ReevePolicyDocumentFile *file = NULL;

  if (g_file_get_contents (strcmp (path, "-") == 0 ? "/dev/stdin" : path, &text, &length, &error))
    return reeve_policy_document_add (self, path, text, length);
  file = g_new0 (ReevePolicyDocumentFile, 1);
  file->name = g_strdup (path);
  g_ptr_array_add (self->files, file);
  reeve_policy_document_report (self, self->files->len - 1, "", TRUE, "file",
                                g_strdup (error->message));
  return FALSE;
}

/* ---- asking ---- */

static gint
reeve_policy_document_compare (gconstpointer a, gconstpointer b)
{
  const ReevePolicyFinding *one = *(ReevePolicyFinding *const *) a;
  const ReevePolicyFinding *other = *(ReevePolicyFinding *const *) b;
  int files = strcmp (one->file, other->file);

  if (files != 0)
    return files;
  if (one->line != other->line)
    return one->line < other->line ? -1 : 1;
  return strcmp (one->pointer, other->pointer);
}

/**
 * reeve_policy_document_list_findings:
 * @self: a document
 *
 * Returns: (transfer none) (element-type ReevePolicyFinding): as one reads the files
 */
GPtrArray *
reeve_policy_document_list_findings (ReevePolicyDocument *self)
{
  g_ptr_array_sort (self->findings, reeve_policy_document_compare);
  return self->findings;
}

/**
 * reeve_policy_document_has_errors:
 * @self: a document
 *
 * Returns: whether a finding is a fault
 */
gboolean
reeve_policy_document_has_errors (ReevePolicyDocument *self)
{
  return self->errors > 0;
}

/**
 * reeve_policy_document_list_entries:
 * @self: a document
 *
 * Returns: (transfer none) (element-type ReevePolicyDocumentEntry): its policies
 */
GPtrArray *
reeve_policy_document_list_entries (ReevePolicyDocument *self)
{
  return self->entries;
}

/**
 * reeve_policy_document_list_tests:
 * @self: a document
 *
 * Returns: (transfer none) (element-type ReevePolicyDocumentTest): its tests
 */
GPtrArray *
reeve_policy_document_list_tests (ReevePolicyDocument *self)
{
  return self->tests;
}

/**
 * reeve_policy_document_find:
 * @self: a document
 * @agent: (nullable): of which agent; %NULL: the organisation's
 *
 * Returns: (transfer none) (nullable): the policy
 */
ReevePolicyDocumentEntry *
reeve_policy_document_find (ReevePolicyDocument *self, const char *agent)
{
  return g_hash_table_lookup (self->known, agent != NULL ? agent : "");
}

/**
 * reeve_policy_document_dup_policies:
 * @self: a document
 *
 * Returns: (transfer full): {org?, agents?} as one document
 */
JsonObject *
reeve_policy_document_dup_policies (ReevePolicyDocument *self)
{
  JsonObject *policies = json_object_new ();
  JsonObject *agents = json_object_new ();

  for (guint i = 0; i < self->entries->len; i++)
    {
      ReevePolicyDocumentEntry *entry = g_ptr_array_index (self->entries, i);

      json_object_set_object_member (entry->agent != NULL ? agents : policies,
                                     entry->agent != NULL ? entry->agent : "org",
                                     json_object_ref (entry->object));
    }
  json_object_set_object_member (policies, "agents", agents);
  return policies;
}
