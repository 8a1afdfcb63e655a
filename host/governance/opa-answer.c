/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the answers of the data API of an Open Policy Agent
 * (https://www.openpolicyagent.org/docs/rest-api). A decision that is not there is a no, and so is
 * one that cannot be read; only a server that says that it is in trouble has not answered. */
#include "opa-answer.h"

#include <reeve-plugin-1.h>

static ReevePolicyAdvice *reeve_opa_answer_fail (const char *format, ...) G_GNUC_PRINTF (1, 2);

static ReevePolicyAdvice *
reeve_opa_answer_fail (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return reeve_policy_advice_new (REEVE_POLICY_ADVICE_UNREADABLE, text);
}

/* FALSE: it is there and neither true nor false. */
static gboolean
reeve_opa_answer_get_boolean (JsonObject *object, const char *member, gboolean *value)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL)
    return TRUE;
  if (json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return FALSE;
  *value = json_node_get_boolean (node);
  return TRUE;
}

static ReevePolicyAdvice *
reeve_opa_answer_read_object (JsonObject *decision)
{
  gboolean allow = FALSE;
  gboolean approval = FALSE;
  const char *reason = reeve_json_get_string (decision, "reason", NULL);

  /* a rule of it that has no value is left out */
  if (!json_object_has_member (decision, "allow"))
    return reeve_policy_advice_new (REEVE_POLICY_ADVICE_UNDEFINED, "the decision has no allow");
  if (!reeve_opa_answer_get_boolean (decision, "allow", &allow)
      || !reeve_opa_answer_get_boolean (decision, "approval_required", &approval))
    return reeve_opa_answer_fail ("allow or approval_required is neither true nor false");
  if (approval)
    return reeve_policy_advice_new (REEVE_POLICY_ADVICE_APPROVAL_REQUIRED, reason);
  return reeve_policy_advice_new (allow ? REEVE_POLICY_ADVICE_ALLOW : REEVE_POLICY_ADVICE_DENY,
                                  reason);
}

static ReevePolicyAdvice *
reeve_opa_answer_read_result (JsonNode *result)
{
  if (json_node_get_value_type (result) == G_TYPE_BOOLEAN)
    return reeve_policy_advice_new (json_node_get_boolean (result) ? REEVE_POLICY_ADVICE_ALLOW
                                                                   : REEVE_POLICY_ADVICE_DENY,
                                    NULL);
  if (JSON_NODE_HOLDS_OBJECT (result))
    return reeve_opa_answer_read_object (json_node_get_object (result));
  return reeve_opa_answer_fail ("the result is neither true, false nor an object");
}

/**
 * reeve_opa_answer_read:
 * @status: of HTTP
 * @body: of the answer
 * @length: of @body, in bytes
 *
 * Returns: (transfer full): what it says
 */
ReevePolicyAdvice *
reeve_opa_answer_read (guint status, const char *body, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonNode *result = NULL;

  if (status != 200)
    {
      g_autofree char *text = g_strdup_printf ("it answered with status %u", status);

      return reeve_policy_advice_new (
          status >= 500 ? REEVE_POLICY_ADVICE_UNREACHABLE : REEVE_POLICY_ADVICE_UNREADABLE, text);
    }
  if (length > REEVE_OPA_ANSWER_LONGEST)
    return reeve_opa_answer_fail ("the answer is longer than %" G_GSIZE_FORMAT " bytes",
                                  REEVE_OPA_ANSWER_LONGEST);
  node = reeve_json_parse_strict (body, length, &error);
  if (node == NULL)
    return reeve_opa_answer_fail ("the answer is no JSON: %s", error->message);
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return reeve_opa_answer_fail ("the answer is no object");
  result = json_object_get_member (json_node_get_object (node), "result");
  if (result == NULL)
    return reeve_policy_advice_new (REEVE_POLICY_ADVICE_UNDEFINED,
                                    "there is no decision at this path");
  return reeve_opa_answer_read_result (result);
}
