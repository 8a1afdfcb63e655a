/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manifests: a full one, a small one, and one wrong in each point. */
#include "loader/manifest-script.h"

#include "base/digests.h"

#include <glib/gstdio.h>
#include <string.h>

#define SMALL                                                                                      \
  "[Plugin]\nId=good\nVersion=1.2.3\nName=Good\nDescription=Does good.\nKinds=tool\nApi=1.0\n"

static ReeveManifest *
parse (const char *text, GError **error)
{
  return reeve_manifest_new_from_data (text, strlen (text), "/plugins/good/good.plugin", error);
}

static void
test_manifest_small (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveManifest) manifest = parse (SMALL, &error);
  g_autofree char *digest = reeve_digests_sha256_hex (SMALL, strlen (SMALL));
  guint major = 9, minor = 9;

  g_assert_no_error (error);
  g_assert_cmpstr (reeve_manifest_get_id (manifest), ==, "good");
  g_assert_cmpstr (reeve_manifest_get_version (manifest), ==, "1.2.3");
  g_assert_cmpstr (reeve_manifest_get_name (manifest), ==, "Good");
  g_assert_cmpstr (reeve_manifest_get_digest (manifest), ==, digest);
  g_assert_cmpstr (reeve_manifest_get_module (manifest), ==, "/plugins/good/good.so");
  g_assert_cmpint (reeve_manifest_get_kinds (manifest), ==, REEVE_KIND_TOOL);
  g_assert_null (reeve_manifest_get_licence (manifest));
  g_assert_null (reeve_manifest_get_settings_digest (manifest));
  g_assert_null (*reeve_manifest_get_capabilities (manifest));
  g_assert_null (*reeve_manifest_get_run_after (manifest));
  reeve_manifest_get_api (manifest, &major, &minor);
  g_assert_cmpuint (major, ==, 1);
  g_assert_cmpuint (minor, ==, 0);
  /* what has no schema takes no settings */
  g_autoptr (JsonNode) none = reeve_json_parse_strict ("{}", 2, NULL);
  g_autoptr (JsonNode) some = reeve_json_parse_strict ("{\"a\":1}", 7, NULL);
  g_assert_true (reeve_schema_validate (reeve_manifest_get_schema (manifest), none, NULL, NULL));
  g_assert_false (reeve_schema_validate (reeve_manifest_get_schema (manifest), some, NULL, NULL));
}

static void
test_manifest_full (void)
{
  static const char text[]
      = "# comment\n[Plugin]\nId=good\nVersion=0.1.0-rc.1\nName=Good "
        "\xc3\xa4\nDescription=x\nKinds=tool;llm;\nApi=1.0\n"
        "Licence=MIT\nModule=libgood.so\nRunAfter=a-b;c\nConflicts=d\nRequires=e;\n"
        "[Capabilities]\nnet.http=to fetch\nknowledge.search=to search\n"
        "[Settings]\nSchema={\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveManifest) manifest = parse (text, &error);

  g_assert_no_error (error);
  g_assert_cmpint (reeve_manifest_get_kinds (manifest), ==, REEVE_KIND_TOOL | REEVE_KIND_LLM);
  g_assert_cmpstr (reeve_manifest_get_kind_names (manifest)[1], ==, "llm");
  g_assert_cmpstr (reeve_manifest_get_module (manifest), ==, "/plugins/good/libgood.so");
  g_assert_cmpstr (reeve_manifest_get_run_after (manifest)[0], ==, "a-b");
  g_assert_cmpstr (reeve_manifest_get_conflicts (manifest)[0], ==, "d");
  g_assert_cmpstr (reeve_manifest_get_requires (manifest)[0], ==, "e");
  g_assert_cmpstr (reeve_manifest_get_reason (manifest, "net.http"), ==, "to fetch");
  g_assert_null (reeve_manifest_get_reason (manifest, "net.tcp"));
  g_assert_nonnull (reeve_manifest_get_settings_schema (manifest));
}

#define SCRIPT SMALL "Interpreter=python3\n"
#define ASKS   "[Capabilities]\ninterpreter=It is a script.\n"

#define SLOT(header)                                                                               \
  "[Settings]\nSchema={\"type\":\"object\",\"properties\":{\"token\":{\"type\":\"string\","        \
  "\"writeOnly\":true,\"x-reeve-slot\":{\"scheme\":\"header\",\"header\":\"" header "\"}}}}\n"

static void
test_manifest_script_refused (void)
{
  static const char *const bad[][2] = {
    { SMALL SLOT ("Host"), "*token*x-reeve-slot: header Host cannot be sent" },
    { SMALL SLOT ("transfer-encoding"), "*header transfer-encoding cannot be sent" },
    { SMALL SLOT ("X Y"), "*header X Y cannot be sent" },
    { SMALL "Imports=json\n", "*Imports*Interpreter is missing*" },
    { SMALL "Interpreter=/bin/sh\n", "*Interpreter*none that this host knows*" },
    { SMALL "Interpreter=python3\n", "*Interpreter*capability interpreter*not requested*" },
    { SCRIPT "Imports=json;os system\n" ASKS, "*Imports*no module's name*" },
    { SCRIPT "Imports=json\\nimport os\n" ASKS, "*Imports*no module's name*" },
    { SCRIPT "Imports=json;.os\n" ASKS, "*Imports*no module's name*" },
    { "[Plugin]\nId=good\nVersion=1.2.3\nName=G\nDescription=x\nKinds=auth\nApi=1.0\n"
      "Interpreter=python3\n" ASKS,
      "*Interpreter*process of their own*" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (parse (bad[i][0], &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
      if (!g_pattern_match_simple (bad[i][1], error->message))
        g_error ("%s: %s", bad[i][0], error->message);
    }
}

static void
test_manifest_script (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveManifest) module = parse (SMALL, &error);
  g_autoptr (ReeveManifest) script = parse (SCRIPT "Imports=json;a_b.c2\n" ASKS, &error);
  g_autoptr (ReeveManifest) named = parse (SCRIPT "Module=main.py\n" ASKS, &error);

  g_assert_no_error (error);
  g_assert_null (reeve_manifest_get_interpreter (module));
  g_assert_null (reeve_manifest_get_imports (module));
  g_assert_cmpstr (reeve_manifest_get_interpreter (script), ==, "python3");
  g_assert_cmpstr (reeve_manifest_get_imports (script)[1], ==, "a_b.c2");
  g_assert_cmpstr (reeve_manifest_get_module (script), ==, "/plugins/good/good.py");
  g_assert_cmpstr (reeve_manifest_get_module (named), ==, "/plugins/good/main.py");
}

static void
test_manifest_refused (void)
{
  static const char *const bad[][2] = {
    { "", "*" },
    { "not a key file", "*" },
    { "[Other]\nId=good\n", "*Plugin*" },
    { SMALL "[More]\na=b\n", "*More*unknown group*" },
    { SMALL "Colour=red\n", "*Colour*unknown key*" },
    { "[Plugin]\nVersion=1.2.3\nName=G\nDescription=x\nKinds=tool\nApi=1.0\n", "*Id*missing*" },
    { "[Plugin]\nId=Good\nVersion=1.2.3\nName=G\nDescription=x\nKinds=tool\nApi=1.0\n", "*Id*" },
    { "[Plugin]\nId=../x\nVersion=1.2.3\nName=G\nDescription=x\nKinds=tool\nApi=1.0\n", "*Id*" },
    { "[Plugin]\nId=good\nVersion=1.2\nName=G\nDescription=x\nKinds=tool\nApi=1.0\n", "*Version*" },
    { "[Plugin]\nId=good\nVersion=01.2.3\nName=G\nDescription=x\nKinds=tool\nApi=1.0\n",
      "*Version*" },
    { "[Plugin]\nId=good\nVersion=1.2.3\nName=G\nDescription=x\nKinds=wizard\nApi=1.0\n",
      "*Kinds*unknown*" },
    { "[Plugin]\nId=good\nVersion=1.2.3\nName=G\nDescription=x\nApi=1.0\n", "*Kinds*missing*" },
    { "[Plugin]\nId=good\nVersion=1.2.3\nName=G\nDescription=x\nKinds=tool\n", "*Api*missing*" },
    { "[Plugin]\nId=good\nVersion=1.2.3\nName=G\nDescription=x\nKinds=tool\nApi=one\n", "*Api*" },
    { "[Plugin]\nId=good\nVersion=1.2.3\nName=\nDescription=x\nKinds=tool\nApi=1.0\n", "*Name*" },
    { SMALL "Module=/etc/x.so\n", "*Module*" },
    { SMALL "Module=../x.so\n", "*Module*" },
    { SMALL "RunAfter=A B\n", "*RunAfter*" },
    { SMALL "[Capabilities]\nmind.reading=why not\n", "*mind.reading*no capability*" },
    { SMALL "[Capabilities]\nnet.http=\n", "*net.http*reason*" },
    { SMALL "[Limits]\nMemory=1024\n", "*Memory*capability memory is not requested*" },
    { SMALL "[Capabilities]\nmemory=m\n[Limits]\nMemory=511\n", "*Memory*no number from 512*" },
    { SMALL "[Capabilities]\nthreads=t\n[Limits]\nThreads=1e3\n", "*Threads*no number*" },
    { SMALL "[Capabilities]\ncpu=c\n[Limits]\nCpu=99999999999999999999\n", "*Cpu*no number*" },
    { SMALL "[Limits]\nFiles=1\n", "*Files*unknown key*" },
    { SMALL "[Settings]\nSchema={\"type\":1}\n", "*settings schema*" },
    { SMALL "[Settings]\nSchema={\"a\":1,\"a\":2}\n", "*settings schema*twice*" },
    { SMALL "[Settings]\nSchemaFile=../../etc/passwd\n", "*SchemaFile*" },
    { SMALL "[Settings]\nSchemaFile=absent.json\n", "*absent.json*" },
    { SMALL "[Settings]\nOther=1\n", "*Other*" },
    { SMALL "[Offers]\nColour=red\n", "*Colour*unknown key*" },
    { SMALL "[Offers]\nMediaTypes=text/plain\n", "*MediaTypes*no extractor*" },
    { SMALL "[Offers]\nEngine=true\n", "*Engine*no llm*" },
    { SMALL "[Offers]\nTools=any\n", "*Tools*" },
    { SMALL "[Offers]\nTools={}\n", "*Tools*no array*" },
    { SMALL "[Offers]\nTools=[1]\n", "*Tools*no name*" },
    { SMALL "[Offers]\nTools=[{\"name\":\"a\",\"description\":\"b\"}]\n", "*Tools*parameters*" },
    { SMALL "[Offers]\nTools=[{\"name\":\"a\",\"description\":\"b\",\"parameters\":{},"
            "\"hints\":[\"kind\"]}]\n",
      "*Tools*unknown hint*" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveManifest) manifest = parse (bad[i][0], &error);
      if (manifest != NULL)
        g_error ("taken: %s", bad[i][0]);
      g_assert_nonnull (error);
      if (!g_pattern_match_simple (bad[i][1], error->message))
        g_error ("\"%s\" is not \"%s\"", error->message, bad[i][1]);
    }
}

static void
test_manifest_file (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "good.plugin", NULL);
  g_autofree char *schema = g_build_filename (g_get_tmp_dir (), "s.json", NULL);
  g_autofree char *large = g_strnfill (300 * 1024, '#');
  g_autofree char *digest = reeve_digests_sha256_hex ("{\"type\":\"object\"}", 17);
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_manifest_new_from_file (path, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (schema, "{\"type\":\"object\"}", -1, NULL));
  g_assert_true (g_file_set_contents (path, SMALL "[Settings]\nSchemaFile=s.json\n", -1, NULL));
  g_autoptr (ReeveManifest) manifest = reeve_manifest_new_from_file (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (reeve_manifest_get_settings_digest (manifest), ==, digest);

  g_assert_true (g_file_set_contents (path, large, -1, NULL));
  g_assert_null (reeve_manifest_new_from_file (path, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_clear_error (&error);
  g_unlink (path);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  g_assert_null (reeve_manifest_new_from_file (path, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/manifest/small", test_manifest_small);
  g_test_add_func ("/manifest/full", test_manifest_full);
  g_test_add_func ("/manifest/script", test_manifest_script);
  g_test_add_func ("/manifest/script-refused", test_manifest_script_refused);
  g_test_add_func ("/manifest/refused", test_manifest_refused);
  g_test_add_func ("/manifest/file", test_manifest_file);
  return g_test_run ();
}
