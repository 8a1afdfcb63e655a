/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From text and bodies to parameters, with the rows of the real table. */
#include "operations/gate-params.h"

#include <string.h>

/* The parameters as canonical JSON, or the pointers of the faults, or the name of the error. */
static char *
prepare (ReeveCall *call)
{
  g_autoptr (ReeveSchemaCache) schemas = reeve_schema_cache_new (reeve_operations);
  g_autoptr (GError) error = NULL;
  GString *text = g_string_new (NULL);
  JsonArray *faults = NULL;

  if (reeve_gate_params_prepare (call, schemas, &error))
    {
      g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), call->params);

      g_string_free (text, TRUE);
      return reeve_json_canonical (node);
    }
  faults = reeve_call_get_faults (call);
  if (faults == NULL)
    g_string_append (text, reeve_error_get_name ((ReeveError) error->code));
  for (guint i = 0; faults != NULL && i < json_array_get_length (faults); i++)
    g_string_append_printf (
        text, "[%s]",
        json_object_get_string_member (json_array_get_object_element (faults, i), "pointer"));
  return g_string_free (text, FALSE);
}

static ReeveCall *
new_call (const char *name)
{
  const ReeveOperation *operation = reeve_operation_find (name);

  g_assert_nonnull (operation);
  return reeve_call_new (operation, NULL, "test");
}

static void
set_body (ReeveCall *call, const char *media_type, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  reeve_call_set_body (call, media_type, bytes);
}

static void
test_query (void)
{
  static const struct
  {
    const char *value, *expected;
  } cases[] = {
    { "7", "{\"limit\":7}" }, { "0", "[/limit]" },
    { "501", "[/limit]" },    { "x", "[/limit]" },
    { "", "[/limit]" },       { " 7", "[/limit]" },
    { "7.0", "[/limit]" },    { "99999999999999999999", "[/limit]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ReeveCall) call = new_call ("users.list");
      g_autofree char *text = NULL;

      reeve_call_set_query_member (call, "limit", cases[i].value);
      text = prepare (call);
      g_assert_cmpstr (text, ==, cases[i].expected);
    }
}

static void
test_body (void)
{
  static const struct
  {
    const char *media, *body, *expected;
  } cases[] = {
    { "application/json", "{\"name\":\"n\"}", "{\"agent_id\":\"a\",\"name\":\"n\"}" },
    { "application/json; charset=utf-8", "{\"name\":\"n\"}",
      "{\"agent_id\":\"a\",\"name\":\"n\"}" },
    { "APPLICATION/JSON", "{\"name\":\"n\"}", "{\"agent_id\":\"a\",\"name\":\"n\"}" },
    { "application/jsonx", "{\"name\":\"n\"}", "unsupported_media" },
    { NULL, "{\"name\":\"n\"}", "unsupported_media" },
    { "application/json", "{\"agent_id\":\"b\",\"name\":\"n\"}", "[/agent_id]" },
    { "application/json", "{\"name\":1,\"tags\":[1,2]}", "[/tags/0][/tags/1][/name]" },
    { "application/json", "{}", "[]" },
    { "application/json", "[]", "[]" },
    { "application/json", "{", "[]" },
    { "application/json", "", "[]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ReeveCall) call = new_call ("agents.update");
      g_autofree char *text = NULL;

      g_test_message ("%s", cases[i].body);
      reeve_call_set_path_member (call, "agent_id", "a");
      set_body (call, cases[i].media, cases[i].body);
      text = prepare (call);
      g_assert_cmpstr (text, ==, cases[i].expected);
    }
}

static void
add_part (ReeveCall *call, const char *name, const char *file, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  const ReeveCallPart part = { (char *) name, (char *) file, NULL, bytes };

  reeve_call_add_part (call, &part);
}

static void
test_form (void)
{
  g_autoptr (ReeveCall) good = new_call ("documents.upload");
  g_autoptr (ReeveCall) bad = new_call ("documents.upload");
  g_autoptr (ReeveCall) file = new_call ("documents.upload");
  g_autoptr (ReeveCall) none = new_call ("documents.upload");
  g_autofree char *text = NULL;
  g_autofree char *faults = NULL;
  g_autofree char *files = NULL;
  g_autofree char *empty = NULL;

  set_body (good, "multipart/form-data; boundary=x", "x");
  add_part (good, "file", "a.md", "text");
  add_part (good, "classification", NULL, "Internal");
  add_part (good, "metadata", NULL, "{\"title\":\"T\"}");
  text = prepare (good);
  g_assert_cmpstr (
      text, ==,
      "{\"classification\":\"Internal\",\"file\":\"a.md\",\"metadata\":{\"title\":\"T\"}}");
  g_assert_cmpuint (g_bytes_get_size (reeve_call_get_part (good, "file")->bytes), ==, 4);

  set_body (bad, "multipart/form-data; boundary=x", "x");
  add_part (bad, "file", "a.md", "text");
  add_part (bad, "file", "b.md", "text");
  add_part (bad, "metadata", NULL, "{");
  add_part (bad, "classification", NULL, "\xff");
  faults = prepare (bad);
  g_assert_cmpstr (faults, ==, "[/file][/metadata][/classification]");

  /* its name is not the value, and its bytes may say another one */
  set_body (file, "multipart/form-data; boundary=x", "x");
  add_part (file, "file", "a.md", "text");
  add_part (file, "classification", "internal", "restricted");
  files = prepare (file);
  g_assert_cmpstr (files, ==, "[/classification]");

  set_body (none, "multipart/form-data; boundary=x", "x");
  empty = prepare (none);
  g_assert_cmpstr (empty, ==, "[]");
}

static void
test_typed (void)
{
  g_autoptr (ReeveCall) call = new_call ("users.list");
  g_autoptr (JsonObject) params = json_object_new ();
  g_autofree char *text = NULL;

  json_object_set_int_member (params, "limit", 3);
  reeve_call_set_params (call, params);
  text = prepare (call);
  g_assert_cmpstr (text, ==, "{\"limit\":3}");
}

/* The digest is of what was meant, not of how it was written. */
static void
test_digest (void)
{
  static const char *const bodies[] = { "{\"username\":\"a\",\"roles\":[]}",
                                        " { \"roles\" : [ ], \"username\" : \"\\u0061\" } " };
  g_autofree char *first = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (ReeveCall) call = new_call ("users.create");
      g_autofree char *text = NULL;
      g_autofree char *digest = NULL;

      set_body (call, "application/json", bodies[i]);
      text = prepare (call);
      digest = reeve_gate_params_digest (call);
      g_assert_cmpuint (strlen (digest), ==, 64);
      if (first != NULL)
        g_assert_cmpstr (digest, ==, first);
      else
        first = g_steal_pointer (&digest);
    }
}

static void
test_table (void)
{
  for (const ReeveOperation *row = reeve_operations; row->name != NULL; row++)
    {
      g_assert_true (reeve_operation_find (row->name) == row);
      g_assert_nonnull (row->func);
      g_assert_nonnull (row->schema);
      g_assert_cmpuint (row->success_status, >=, 200);
      if ((row->flags & REEVE_OPERATION_PUBLIC) != 0)
        g_assert_cmpint (row->klass, ==, REEVE_CLASS_PROBE);
    }
  g_assert_null (reeve_operation_find ("no.such"));
  g_assert_null (reeve_operation_find (""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/params/query", test_query);
  g_test_add_func ("/params/body", test_body);
  g_test_add_func ("/params/form", test_form);
  g_test_add_func ("/params/typed", test_typed);
  g_test_add_func ("/params/digest", test_digest);
  g_test_add_func ("/table", test_table);
  return g_test_run ();
}
