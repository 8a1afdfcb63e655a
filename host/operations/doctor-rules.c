/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of configuration as checks: in profile dev as advice. */
#include "doctor-rules.h"

#include "base/config-guard.h"

static char *
reeve_doctor_rules_list_places (GPtrArray *findings, const ReeveConfigGuardRule *rule)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < findings->len; i++)
    {
      const ReeveConfigFinding *finding = findings->pdata[i];
      if (finding->rule == rule)
        g_string_append_printf (text, "%s%s", text->len > 0 ? "; " : "", finding->where);
    }
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

static void
reeve_doctor_rules_show_found (ReeveConfig *config, ReeveDoctorReport *report)
{
  GPtrArray *findings = reeve_config_get_findings (config);

  for (const ReeveConfigGuardRule *rule = reeve_config_guard_get_rules (); rule->id != NULL; rule++)
    {
      g_autofree char *places = reeve_doctor_rules_list_places (findings, rule);
      const ReeveDoctorCheck check = { rule->id, rule->row, rule->remedy };

      if (places != NULL)
        reeve_doctor_report_add (report, &check, REEVE_DOCTOR_WARN, "%s: %s%s", places, rule->what,
                                 rule->always    ? ", which is refused"
                                 : rule->refused ? ", which every profile but dev refuses"
                                                 : "");
      else
        reeve_doctor_report_add (report, &check, REEVE_DOCTOR_OK, "not found: %s", rule->what);
    }
}

/* What was asked for of rbac.zero_trust; what this host cannot hold to has kept it from starting.
 */
static void
reeve_doctor_rules_show_zero_trust (ReeveConfig *config, ReeveDoctorReport *report)
{
  static const struct
  {
    const char *key;
    const char *holds;
  } flags[] = {
    { "rbac.zero_trust.verify_every_request", "a provider is asked about each request" },
    { "rbac.zero_trust.encrypt_all_data", "stores are encrypted" },
    { "rbac.zero_trust.network_segmentation", "callers come from the networks of server.ip_allow" },
  };
  static const ReeveDoctorCheck check
      = { "rbac.zero-trust", "RBA-16", "see rbac.zero_trust in docs/configuration.md" };
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    if (reeve_config_get_boolean (config, flags[i].key))
      g_string_append_printf (text, "%s%s", text->len > 0 ? "; " : "", flags[i].holds);
  if (text->len > 0)
    reeve_doctor_report_add (report, &check, REEVE_DOCTOR_OK, "%s", text->str);
  else
    reeve_doctor_report_add (report, &check, REEVE_DOCTOR_NOT_APPLICABLE,
                             "nothing of rbac.zero_trust is asked for");
}

/**
 * reeve_doctor_rules_run:
 * @config: of the host that runs
 * @report: where it is written
 */
void
reeve_doctor_rules_run (ReeveConfig *config, ReeveDoctorReport *report)
{
  reeve_doctor_rules_show_found (config, report);
  reeve_doctor_rules_show_zero_trust (config, report);
}
