/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checklists of production, as far as a host can look at itself: each check asks what is, not
 * what was meant. What a profile refuses at its start is among them, for profile dev as advice. */
#include "doctor-checks.h"

#include <gnutls/x509.h>
#include <string.h>

#include "base/config-listen.h"
#include "base/times.h"
#include "governance/self-test.h"

#include "doctor-confinement.h"
#include "doctor-kept.h"
#include "doctor-keys.h"
#include "doctor-plugins.h"
#include "doctor-report.h"
#include "doctor-rules.h"
#include "doctor-sinks.h"
#include "doctor-telemetry.h"

/* a certificate that ends sooner is warned of */
#define REEVE_DOCTOR_CHECKS_CERTIFICATE_DAYS 30
/* a key that nobody has used so long */
#define REEVE_DOCTOR_CHECKS_UNUSED_US (30 * G_TIME_SPAN_DAY)
/* more keys that may do everything than this are too many */
#define REEVE_DOCTOR_CHECKS_PLATFORM_KEYS 2
/* a database of countries that is older: networks change hands */
#define REEVE_DOCTOR_CHECKS_GEOGRAPHY_DAYS 60
/* how far clocks may be apart */
#define REEVE_DOCTOR_CHECKS_CLOCK_US  (5 * G_TIME_SPAN_SECOND)
#define REEVE_DOCTOR_CHECKS_FUTURE_US (60 * G_TIME_SPAN_SECOND)

typedef struct
{
  ReeveServices *services;
  ReeveDoctorReport *report;
} ReeveDoctorChecks;

typedef void (*ReeveDoctorChecksFunc) (ReeveDoctorChecks *self, const ReeveDoctorCheck *check);

/* ---- configuration ---- */

static void
reeve_doctor_checks_drift (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  g_auto (GStrv) changed = reeve_config_list_files (self->services->config, TRUE);
  g_autofree char *names = g_strjoinv (", ", changed);

  if (*names != '\0')
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_WARN,
                             "changed since the host was started: %s", names);
  else
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK,
                             "the host runs with what its files say");
}

static void
reeve_doctor_checks_warnings (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  const char *const *warnings = reeve_config_get_warnings (self->services->config);
  g_autofree char *text = g_strjoinv ("; ", (char **) warnings);

  if (*text != '\0')
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_WARN, "%s", text);
  else
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK,
                             "the last start had nothing to say about the configuration");
}

/* ---- encryption ---- */

static gboolean
reeve_doctor_checks_is_reached (ReeveConfig *config)
{
  g_auto (GStrv) listen = reeve_config_get_strv (config, "server.listen");

  for (guint i = 0; listen[i] != NULL; i++)
    if (!reeve_config_listen_read (listen[i], FALSE).loopback)
      return TRUE;
  return FALSE;
}

/* when the first certificate of a file ends, in seconds; -1 where that cannot be read */
static gint64
reeve_doctor_checks_read_end (const char *path)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  gnutls_x509_crt_t certificate = NULL;
  gint64 end = -1;

  if (!g_file_get_contents (path, &text, &length, NULL)
      || gnutls_x509_crt_init (&certificate) != GNUTLS_E_SUCCESS)
    return -1;
  const gnutls_datum_t data = { (unsigned char *) text, (unsigned int) length };
  if (gnutls_x509_crt_import (certificate, &data, GNUTLS_X509_FMT_PEM) == GNUTLS_E_SUCCESS)
    end = (gint64) gnutls_x509_crt_get_expiration_time (certificate);
  gnutls_x509_crt_deinit (certificate);
  return end;
}

static void
reeve_doctor_checks_certificate (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  ReeveConfig *config = self->services->config;
  const char *path = reeve_config_get_string (config, "tls.certificate");
  gboolean reached = reeve_doctor_checks_is_reached (config);
  gint64 now = reeve_times_now () / G_USEC_PER_SEC;
  gint64 end = path != NULL ? reeve_doctor_checks_read_end (path) : 0;

  if (path == NULL)
    reeve_doctor_report_add (
        self->report, check, reached ? REEVE_DOCTOR_WARN : REEVE_DOCTOR_NOT_APPLICABLE,
        reached ? "there is none, and others than this machine come" : "only this machine comes");
  else if (end <= now)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL, "%s: %s", path,
                             end < 0 ? "cannot be read" : "has ended");
  else
    {
      g_autofree char *text = reeve_times_format (end * G_USEC_PER_SEC);
      gboolean soon = end - now < REEVE_DOCTOR_CHECKS_CERTIFICATE_DAYS * 86400;
      reeve_doctor_report_add (self->report, check, soon ? REEVE_DOCTOR_WARN : REEVE_DOCTOR_OK,
                               "%s ends at %s", path, text);
    }
}

static void
reeve_doctor_checks_key (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) found = reeve_protection_get (self->services->protection, &error);

  if (found == NULL)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL, "%s", error->message);
  else if (!reeve_json_get_boolean (found, "enabled", FALSE))
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_NOT_APPLICABLE,
                             "nothing is encrypted");
  else if (reeve_json_get_boolean (found, "key_beside", FALSE))
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_WARN,
                             "stores are encrypted, but their master key lies in the state folder "
                             "that it protects, and in every copy of it");
  else
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK,
                             "stores are encrypted, and their master key is elsewhere (%s)",
                             reeve_json_get_string (found, "key_source", ""));
}

static void
reeve_doctor_checks_judge_stores (JsonArray *items, GString *bad)
{
  for (guint i = 0; items != NULL && i < json_array_get_length (items); i++)
    {
      JsonObject *store = json_array_get_object_element (items, i);
      const char *problem = reeve_json_get_string (store, "problem", NULL);

      if (problem != NULL)
        g_string_append_printf (bad, "%s%s: %s", bad->len > 0 ? "; " : "",
                                reeve_json_get_string (store, "store", ""), problem);
    }
}

static void
reeve_doctor_checks_stores (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  g_autoptr (GString) bad = g_string_new (NULL);
  g_autoptr (JsonObject) params = json_object_new ();
  g_autofree char *cursor = NULL;

  json_object_set_int_member (params, "limit", 500);
  do
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) page
          = reeve_protection_list (self->services->protection, params, &error);
      if (page == NULL)
        {
          reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL, "%s", error->message);
          return;
        }
      reeve_doctor_checks_judge_stores (reeve_json_get_array (page, "items"), bad);
      g_free (cursor);
      cursor = g_strdup (reeve_json_get_string (page, "next_cursor", NULL));
      if (cursor != NULL)
        json_object_set_string_member (params, "cursor", cursor);
    }
  while (cursor != NULL);
  if (bad->len > 0)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL, "%s", bad->str);
  else
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK, "every store can be read");
}

/* ---- ledger and clock ---- */

static void
reeve_doctor_checks_writable (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  switch (reeve_ledger_get_health (self->services->ledger))
    {
    case REEVE_LEDGER_WELL:
      reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK, "records are written");
      break;
    case REEVE_LEDGER_AWAY:
      reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL,
                               "a log cannot be written where it is, and goes on at the second "
                               "place");
      break;
    case REEVE_LEDGER_FULL:
      reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL,
                               "the disk is full, so nothing new is begun");
      break;
    case REEVE_LEDGER_FAILED:
    default:
      reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL, "a log cannot be written");
      break;
    }
}

static void
reeve_doctor_checks_gate (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  g_autoptr (GError) error = NULL;

  if (reeve_self_test_run (self->services->admission, self->services->ledger, NULL, &error))
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK,
                             "it refused now what it refused at the start");
  else
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL, "%s", error->message);
}

static void
reeve_doctor_checks_verify (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) scopes = reeve_ledger_list_scopes (self->services->ledger, &error);
  g_autoptr (GString) bad = g_string_new (error != NULL ? error->message : NULL);

  for (guint i = 0; scopes != NULL && scopes[i] != NULL; i++)
    {
      g_autoptr (GError) local = NULL;
      g_autoptr (JsonObject) found
          = reeve_ledger_verify (self->services->ledger, scopes[i], &local);
      if (found != NULL && reeve_json_get_boolean (found, "valid", FALSE))
        continue;
      g_string_append_printf (
          bad, "%s%s: %s", bad->len > 0 ? "; " : "", scopes[i],
          local != NULL ? local->message : reeve_json_get_string (found, "error", "is not valid"));
    }
  if (bad->len > 0)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL, "%s", bad->str);
  else
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK, "every log verifies");
}

static void
reeve_doctor_checks_sinks (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  reeve_doctor_sinks_check (self->services, self->report, check);
}

static void
reeve_doctor_checks_telemetry (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  reeve_doctor_telemetry_check (self->services, self->report, check);
}

/* time of the newest record of the platform; 0 when there is none */
static gint64
reeve_doctor_checks_read_newest (ReeveDoctorChecks *self)
{
  const ReeveLedgerFilter filter = { .limit = 1 };
  guint64 next = 0;
  gint64 time = 0;
  g_autoptr (GPtrArray) records
      = reeve_ledger_list (self->services->ledger, REEVE_SCOPE_PLATFORM, &filter, &next, NULL);

  if (records != NULL && records->len > 0)
    reeve_times_parse (reeve_json_get_string (records->pdata[0], "time", ""), &time, NULL);
  return time;
}

static void
reeve_doctor_checks_clock (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  gint64 now = reeve_times_now ();
  gint64 moved
      = now - self->services->started_at - (g_get_monotonic_time () - self->services->started);

  if (reeve_doctor_checks_read_newest (self) > now + REEVE_DOCTOR_CHECKS_FUTURE_US)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL,
                             "the newest record is of a time that is yet to come");
  else if (ABS (moved) > REEVE_DOCTOR_CHECKS_CLOCK_US)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_WARN,
                             "was set by %" G_GINT64_FORMAT " s while the host ran",
                             moved / G_USEC_PER_SEC);
  else
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK,
                             "goes on evenly, and no record is ahead of it");
}

/* ---- who comes in ---- */

static void
reeve_doctor_checks_identity (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  JsonNode *node = reeve_config_get_json (self->services->config, "authentication.providers");
  JsonArray *list = node != NULL ? json_node_get_array (node) : NULL;

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      JsonObject *provider = json_array_get_object_element (list, i);
      const char *plugin = reeve_json_get_string (provider, "plugin", "");

      if (!reeve_json_get_boolean (provider, "enabled", TRUE)
          || strcmp (plugin, "auth-api-key") == 0)
        continue;
      reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK, "%s lets people in (%s)",
                               reeve_json_get_string (provider, "id", ""), plugin);
      return;
    }
  reeve_doctor_report_add (self->report, check,
                           reeve_config_is_dev (self->services->config)
                               ? REEVE_DOCTOR_NOT_APPLICABLE
                               : REEVE_DOCTOR_WARN,
                           "people are known by API keys alone");
}

static void
reeve_doctor_checks_development (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  if (reeve_registry_get_instance (self->services->registry, "auth/development") != NULL)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_WARN,
                             "whoever knows REEVE_DEV_JWT_SECRET is everybody");
  else
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK,
                             "no secret of a developer lets anybody in");
}

static void
reeve_doctor_checks_keys (ReeveDoctorChecks *self)
{
  static const ReeveDoctorCheck platform
      = { "keys.platform-admin", "DEP-07",
          "work with keys of lesser roles, and delete what is too many (reevectl keys list)" };
  static const ReeveDoctorCheck endless
      = { "keys.endless", "DEP-07", "make keys with expires_at, and rotate those that have none" };
  static const ReeveDoctorCheck unused
      = { "keys.unused", "DEP-07", "delete what nobody misses (reevectl keys list)" };
  ReeveDoctorKeys counts = { 0 };
  g_autoptr (GError) error = NULL;

  if (!reeve_doctor_keys_count (self->services->store, self->services->users,
                                REEVE_DOCTOR_CHECKS_UNUSED_US, &counts, &error))
    {
      reeve_doctor_report_add (self->report, &platform, REEVE_DOCTOR_FAIL, "%s", error->message);
      return;
    }
  reeve_doctor_report_add (self->report, &platform,
                           counts.platform > REEVE_DOCTOR_CHECKS_PLATFORM_KEYS ? REEVE_DOCTOR_WARN
                                                                               : REEVE_DOCTOR_OK,
                           "%u of %u keys may do everything", counts.platform, counts.active);
  reeve_doctor_report_add (self->report, &endless,
                           counts.endless > 0 ? REEVE_DOCTOR_WARN : REEVE_DOCTOR_OK,
                           "%u of %u keys have no end", counts.endless, counts.active);
  reeve_doctor_report_add (
      self->report, &unused, counts.unused > 0 ? REEVE_DOCTOR_WARN : REEVE_DOCTOR_OK,
      "%u of %u keys were not used once in 30 days", counts.unused, counts.active);
}

/* ---- network ---- */

static void
reeve_doctor_checks_geography (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  ReeveGeography *geography = reeve_network_get_geography (self->services->network);
  gint64 made_at = geography != NULL ? reeve_geography_get_made_at (geography) : 0;
  gint64 days = (reeve_times_now () - made_at) / G_TIME_SPAN_DAY;
  g_autofree char *text = reeve_times_format (made_at);
  g_autoptr (GError) error = NULL;

  if (geography == NULL)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_NOT_APPLICABLE,
                             "no database of countries is configured");
  else if (!reeve_geography_check (geography, &error))
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL,
                             "the host goes on with what it has read before, made at %s: %s", text,
                             error->message);
  else
    reeve_doctor_report_add (self->report, check,
                             days > REEVE_DOCTOR_CHECKS_GEOGRAPHY_DAYS ? REEVE_DOCTOR_WARN
                                                                       : REEVE_DOCTOR_OK,
                             "%s was made at %s", reeve_geography_get_path (geography), text);
}

/* ---- plugins, and what they are for ---- */

static void
reeve_doctor_checks_count (ReeveDoctorChecks *self, const ReeveDoctorCheck *check, JsonArray *list,
                           const char *what)
{
  guint n = json_array_get_length (list);

  reeve_doctor_report_add (self->report, check, n > 0 ? REEVE_DOCTOR_OK : REEVE_DOCTOR_FAIL,
                           "%u %s", n, what);
  json_array_unref (list);
}

static void
reeve_doctor_checks_models (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  reeve_doctor_checks_count (self, check, reeve_models_list (self->services->models),
                             "models are configured");
}

static void
reeve_doctor_checks_model_rows (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  ReeveServices *services = self->services;
  g_autofree char *strangers
      = reeve_model_allow_dup_strangers (services->model_allow, services->tenants);

  reeve_doctor_report_add (self->report, check,
                           strangers != NULL ? REEVE_DOCTOR_WARN : REEVE_DOCTOR_OK,
                           strangers != NULL ? "llm.allow has rows of nobody: there is no tenant %s"
                                             : "every row of llm.allow is a tenant's%s",
                           strangers != NULL ? strangers : "");
}

static void
reeve_doctor_checks_tools (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  reeve_doctor_checks_count (self, check, reeve_tools_list (self->services->tools),
                             "tools are there");
}

static void
reeve_doctor_checks_opa (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  ReevePolicyAdviser *adviser = self->services->adviser;
  g_autoptr (ReevePolicyAdvice) advice
      = adviser != NULL ? reeve_policy_adviser_check (adviser) : NULL;
  const char *url = reeve_config_get_string (self->services->config, "policy.opa.url");

  if (advice == NULL)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_NOT_APPLICABLE,
                             "no policy agent is asked about calls of tools");
  else if (advice->kind == REEVE_POLICY_ADVICE_ALLOW)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK, "%s answers", url);
  else if (advice->kind != REEVE_POLICY_ADVICE_UNREACHABLE)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL,
                             "%s answers what cannot be read: %s", url,
                             advice->text != NULL ? advice->text : "");
  else
    reeve_doctor_report_add (
        self->report, check, REEVE_DOCTOR_FAIL, "%s does not answer, %s: %s", url,
        advice->closed ? "and no tool is called" : "the tool policy decides alone",
        advice->text != NULL ? advice->text : "");
}

static void
reeve_doctor_checks_witnesses (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  ReeveWitnessesTally tally = { 0 };

  reeve_witnesses_count (self->services->witnesses, &tally);
  if (tally.witnesses == 0)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_NOT_APPLICABLE,
                             "no witness cosigns the ledger");
  else if (tally.conflicting > 0)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL,
                             "%u logs contradict what witnesses have cosigned: an older state was "
                             "put back, or there are two ledgers of this name",
                             tally.conflicting);
  else if (tally.failing > 0)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_WARN,
                             "%u times a witness does not cosign a log", tally.failing);
  else
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK, "%u witnesses, and none objects",
                             tally.witnesses);
}

static void
reeve_doctor_checks_retention (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  g_auto (ReeveAuditRetentionTally) tally = { 0 };
  g_autofree char *when = NULL;

  reeve_audit_retention_count (self->services->audit_retention, &tally);
  when = reeve_times_format (tally.looked_at);
  /* as good as it is once the host has looked: it does that at once */
  if (tally.looked_at == 0)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK,
                             "the host has just been started, and looks now");
  else if (tally.failed > 0)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_FAIL,
                             "old records of %u logs do not go: %s", tally.failed, tally.text);
  else if (tally.ahead > 0)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_WARN,
                             "the clock is %" G_GINT64_FORMAT
                             " days ahead of what this host has seen pass: nothing goes until it "
                             "has passed",
                             tally.ahead);
  else if (tally.held > 0)
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_WARN, "%s", tally.text);
  else
    reeve_doctor_report_add (self->report, check, REEVE_DOCTOR_OK,
                             "looked at %s, and nothing is kept that is too old", when);
}

static void
reeve_doctor_checks_confinement (ReeveDoctorChecks *self, const ReeveDoctorCheck *check)
{
  reeve_doctor_confinement_check (
      self->report, check, reeve_config_get_string (self->services->config, "plugins.cgroup"));
}

/* ---- all ---- */

static const struct
{
  ReeveDoctorCheck check;
  ReeveDoctorChecksFunc func;
} reeve_doctor_checks_list[] = {
  { { "config.drift", "DEP-07", "start the host again, or put the file back" },
    reeve_doctor_checks_drift },
  { { "config.warnings", "DEP-07", "mend or take out what the configuration is warned of" },
    reeve_doctor_checks_warnings },
  { { "tls.certificate", "DEP-07", "set tls.certificate and tls.key; a new one is read by itself" },
    reeve_doctor_checks_certificate },
  { { "encryption.key", "DEP-07",
      "move it elsewhere by reeve-host --rotate-master-key SOURCE, then set encryption.key_source "
      "(docs/encryption.md)" },
    reeve_doctor_checks_key },
  { { "encryption.stores", "DEP-07", "see docs/trouble.md" }, reeve_doctor_checks_stores },
  { { "audit.writable", "DEP-07", "make room on the disk, see docs/trouble.md" },
    reeve_doctor_checks_writable },
  { { "gate.refuses", "DEP-07", "stop the host: somebody may be let through who must not be" },
    reeve_doctor_checks_gate },
  { { "audit.verifies", "DEP-07",
      "copy the state folder, then reevectl audit verify --state-dir DIR" },
    reeve_doctor_checks_verify },
  { { "audit.sinks", "AUD-07",
      "mend what the error names, there or in audit.sinks; nothing is lost meanwhile (reevectl "
      "audit "
      "sinks)" },
    reeve_doctor_checks_sinks },
  { { "audit.witnesses", "AUD-04", "see reevectl audit checkpoint, and docs/trouble.md" },
    reeve_doctor_checks_witnesses },
  { { "telemetry.collector", "OBS-03",
      "see the log for what the collector says, and telemetry.otlp (docs/tracing.md)" },
    reeve_doctor_checks_telemetry },
  { { "audit.old_records", "AUD-08", "see reevectl audit retention, and docs/audit.md" },
    reeve_doctor_checks_retention },
  { { "clock", "DEP-07", "let a time service keep it" }, reeve_doctor_checks_clock },
  { { "authentication.identity", "DEP-07",
      "add a provider of identities to authentication.providers, such as auth-jwt" },
    reeve_doctor_checks_identity },
  { { "authentication.development", "AUT-13", "unset REEVE_DEV_JWT_SECRET and DEV_JWT_SECRET" },
    reeve_doctor_checks_development },
  { { "network.geography", "AUT-18",
      "put a new database into the place of the old one: it is read by itself" },
    reeve_doctor_checks_geography },
  { { "plugins.confinement", "DEP-02", "see docs/confinement.md for what each layer needs" },
    reeve_doctor_checks_confinement },
  { { "models", "DEP-07", "add one to llm.providers" }, reeve_doctor_checks_models },
  { { "models.allowed", "MOD-07", "correct the ids in llm.allow, or make the tenants" },
    reeve_doctor_checks_model_rows },
  { { "tools", "DEP-07", "see reevectl plugins list for what was refused" },
    reeve_doctor_checks_tools },
  { { "policy.opa", "TPL-06", "start it, or mend policy.opa" }, reeve_doctor_checks_opa },
};

/**
 * reeve_doctor_checks_run:
 * @services: of the host
 *
 * Returns: (transfer full): `{profile, failed, warned, items[{id, state, detail, remedy, row}]}`
 */
JsonObject *
reeve_doctor_checks_run (ReeveServices *services)
{
  g_autoptr (ReeveDoctorReport) report = reeve_doctor_report_new ();
  ReeveDoctorChecks self = { services, report };

  reeve_doctor_rules_run (services->config, report);
  for (guint i = 0; i < G_N_ELEMENTS (reeve_doctor_checks_list); i++)
    reeve_doctor_checks_list[i].func (&self, &reeve_doctor_checks_list[i].check);
  reeve_doctor_plugins_check (services, report);
  reeve_doctor_kept_check (services, report);
  reeve_doctor_checks_keys (&self);
  return reeve_doctor_report_show (report, reeve_config_get_profile (services->config));
}
