/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Path and query members are text and take the type that the row says; body members come as JSON or
 * as parts of a form. All stand in one object, which the row's schema judges. */
#include "gate-params.h"

#include "base/digests.h"

#include <errno.h>
#include <string.h>

#include "wire/wire-json.h"

/* of a body: one takes up to a kilobyte once it is built, of two that came */
#define REEVE_GATE_PARAMS_VALUES 262144

static void
reeve_gate_params_fault (JsonArray *faults, const char *name, const char *message)
{
  JsonObject *fault = json_object_new ();
  g_autofree char *pointer = name != NULL ? g_strconcat ("/", name, NULL) : g_strdup ("");

  json_object_set_string_member (fault, "pointer", pointer);
  json_object_set_string_member (fault, "message", message);
  json_array_add_object_element (faults, fault);
}

static const ReeveParameter *
reeve_gate_params_find (const ReeveOperation *operation, const char *name)
{
  for (const ReeveParameter *p = operation->parameters; p->name != NULL; p++)
    if (strcmp (p->name, name) == 0)
      return p;
  return NULL;
}

/* (transfer full) (nullable): the value that @text means */
static JsonNode *
reeve_gate_params_convert (char type, const char *text)
{
  JsonNode *node = json_node_new (JSON_NODE_VALUE);
  gint64 whole = 0;
  char *end = NULL;
  double real = 0;

  switch (type)
    {
    case 'i':
      if (g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &whole, NULL))
        {
          json_node_set_int (node, whole);
          return node;
        }
      break;
    case 'n':
      errno = 0;
      real = g_ascii_strtod (text, &end);
      if (end != text && *end == '\0' && errno == 0 && (g_ascii_isdigit (*text) || *text == '-'))
        {
          json_node_set_double (node, real);
          return node;
        }
      break;
    case 'b':
      if (strcmp (text, "true") == 0 || strcmp (text, "false") == 0)
        {
          json_node_set_boolean (node, *text == 't');
          return node;
        }
      break;
    default:
      json_node_set_string (node, text);
      return node;
    }
  json_node_unref (node);
  return NULL;
}

/* What path and query gave, or all of it from a door that knows types. */
static void
reeve_gate_params_take_given (ReeveCall *call, JsonObject *params, JsonArray *faults)
{
  g_autoptr (GList) names = json_object_get_members (call->given);

  for (GList *l = names; l != NULL; l = l->next)
    {
      const char *name = l->data;
      JsonNode *value = json_object_get_member (call->given, name);
      const ReeveParameter *parameter = reeve_gate_params_find (call->operation, name);
      JsonNode *typed = NULL;

      if (call->typed)
        typed = json_node_ref (value);
      else if (parameter == NULL || parameter->place == REEVE_PARAMETER_BODY)
        {
          reeve_gate_params_fault (faults, name, "no query parameter of that name");
          continue;
        }
      else
        typed = reeve_gate_params_convert (parameter->type, json_node_get_string (value));
      if (typed != NULL)
        json_object_set_member (params, name, typed);
      else
        reeve_gate_params_fault (faults, name, "is not of the right type");
    }
  if (call->repeated != NULL)
    reeve_gate_params_fault (faults, call->repeated, "is there twice");
  if (call->garbled != NULL)
    reeve_gate_params_fault (faults, call->garbled, "is not UTF-8 text without null bytes");
}

static void
reeve_gate_params_merge (ReeveCall *call, JsonObject *body, JsonObject *params, JsonArray *faults)
{
  g_autoptr (GList) names = json_object_get_members (body);

  for (GList *l = names; l != NULL; l = l->next)
    {
      const ReeveParameter *parameter = reeve_gate_params_find (call->operation, l->data);

      if (parameter != NULL && parameter->place != REEVE_PARAMETER_BODY)
        reeve_gate_params_fault (faults, l->data, "is not a member of the body");
      else
        json_object_set_member (params, l->data,
                                json_node_ref (json_object_get_member (body, l->data)));
    }
}

static gboolean
reeve_gate_params_is_media (const char *given, const char *wanted)
{
  gsize length = strlen (wanted);

  return given != NULL && g_ascii_strncasecmp (given, wanted, length) == 0
         && (given[length] == '\0' || given[length] == ';' || given[length] == ' ');
}

static gboolean
reeve_gate_params_take_json (ReeveCall *call, JsonObject *params, JsonArray *faults, GError **error)
{
  gsize length = 0;
  const char *data = call->body != NULL ? g_bytes_get_data (call->body, &length) : NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) broken = NULL;

  if (length == 0)
    {
      if (call->operation->needs_body && !call->typed)
        reeve_gate_params_fault (faults, NULL, "a JSON object is needed as body");
      return TRUE;
    }
  if (!reeve_gate_params_is_media (call->media_type, "application/json"))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED_MEDIA,
                           "the body must be application/json");
      return FALSE;
    }
  node = wire_json_parse_bounded (data, length, REEVE_GATE_PARAMS_VALUES, &broken);
  if (g_error_matches (broken, REEVE_ERROR, REEVE_ERROR_TOO_LARGE))
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&broken), "the body: ");
      return FALSE;
    }
  if (node == NULL)
    reeve_gate_params_fault (faults, NULL, broken->message);
  else if (!JSON_NODE_HOLDS_OBJECT (node))
    reeve_gate_params_fault (faults, NULL, "a JSON object is needed as body");
  else
    reeve_gate_params_merge (call, json_node_get_object (node), params, faults);
  return TRUE;
}

/* Does the row want an object under that name? Then the part holds JSON. */
static gboolean
reeve_gate_params_wants_object (const ReeveOperation *operation, const char *name)
{
  const ReeveSchemaObject *object = operation->schema->object;

  for (const ReeveSchemaMember *m = object != NULL ? object->properties : NULL;
       m != NULL && m->name != NULL; m++)
    {
      const ReeveSchemaNode *node = m->node->ref != NULL ? m->node->ref : m->node;

      if (strcmp (m->name, name) == 0)
        return (node->types & REEVE_SCHEMA_TYPE_OBJECT) != 0;
    }
  return FALSE;
}

static void
reeve_gate_params_take_part (ReeveCall *call, const ReeveCallPart *part, JsonObject *params,
                             JsonArray *faults)
{
  gsize length = 0;
  const char *data = g_bytes_get_data (part->bytes, &length);
  g_autoptr (GError) broken = NULL;
  JsonNode *node = NULL;

  if (json_object_has_member (params, part->name))
    {
      reeve_gate_params_fault (faults, part->name, "is there twice");
      return;
    }
  if (part->file_name != NULL)
    {
      /* the name of a file would stand for a value, and what it holds would be nothing */
      if (strcmp (part->name, "file") != 0)
        reeve_gate_params_fault (faults, part->name, "is a file where a value is wanted");
      else
        json_object_set_string_member (params, part->name, part->file_name);
      return;
    }
  if (reeve_gate_params_wants_object (call->operation, part->name))
    {
      node = wire_json_parse_bounded (data, length, REEVE_GATE_PARAMS_VALUES, &broken);
      if (node != NULL)
        json_object_set_member (params, part->name, node);
      else
        reeve_gate_params_fault (faults, part->name, broken->message);
      return;
    }
  if (g_utf8_validate_len (data, length, NULL) && memchr (data, '\0', length) == NULL)
    {
      g_autofree char *text = g_strndup (data, length);

      json_object_set_string_member (params, part->name, text);
    }
  else
    reeve_gate_params_fault (faults, part->name, "is not UTF-8 text");
}

static gboolean
reeve_gate_params_take_form (ReeveCall *call, JsonObject *params, JsonArray *faults, GError **error)
{
  if (call->typed && call->parts == NULL)
    return TRUE;
  if (!reeve_gate_params_is_media (call->media_type, "multipart/form-data"))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED_MEDIA,
                           "the body must be multipart/form-data");
      return FALSE;
    }
  if (call->parts == NULL)
    reeve_gate_params_fault (faults, NULL, "the form is malformed or empty");
  for (guint i = 0; call->parts != NULL && i < call->parts->len; i++)
    reeve_gate_params_take_part (call, call->parts->pdata[i], params, faults);
  return TRUE;
}

static gboolean
reeve_gate_params_validate (ReeveCall *call, ReeveSchemaCache *schemas, JsonObject *params,
                            JsonArray *faults, GError **error)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), params);
  g_autoptr (GPtrArray) found = NULL;
  ReeveSchema *schema = reeve_schema_cache_get (schemas, call->operation->schema);

  if (reeve_schema_validate (schema, node, &found, error))
    return TRUE;
  if (found == NULL)
    return FALSE;
  g_clear_error (error);
  for (guint i = 0; i < found->len; i++)
    {
      const ReeveSchemaFault *fault = found->pdata[i];

      reeve_gate_params_fault (faults, fault->pointer[0] == '/' ? fault->pointer + 1 : NULL,
                               fault->message);
    }
  return TRUE;
}

/* Nothing has a name that its row cannot have: absence, and no word about how names look. But PUT
 * may give a name, and a door that knows types has a member of the wrong one: they are told so.
 * @faults: what the row's schema found; %NULL: before it is asked */
static gboolean
reeve_gate_params_names_nothing (ReeveCall *call, JsonObject *params, JsonArray *faults)
{
  guint count = faults != NULL ? json_array_get_length (faults) : 0;

  if (call->typed || strcmp (call->operation->method, "PUT") == 0)
    return FALSE;
  for (const ReeveParameter *p = call->operation->parameters; p->name != NULL; p++)
    {
      if (p->place != REEVE_PARAMETER_PATH)
        continue;
      if (json_object_has_member (call->given, p->name)
          && !json_object_has_member (params, p->name))
        return TRUE;
      for (guint i = 0; i < count; i++)
        {
          JsonObject *fault = json_array_get_object_element (faults, i);
          const char *pointer = json_object_get_string_member (fault, "pointer");

          if (*pointer == '/' && strcmp (pointer + 1, p->name) == 0)
            return TRUE;
        }
    }
  return FALSE;
}

static gboolean
reeve_gate_params_refuse_name (GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
                       "nothing here has the name that the path says");
  return FALSE;
}

/**
 * reeve_gate_params_prepare:
 * @call: a call that its door has filled in
 * @schemas: validators of the table
 * @error: return location
 *
 * Makes the call's parameters. On a compatible door the body stays as it is: its operation reads
 * the members that matter.
 *
 * Returns: %FALSE when they are wrong
 */
gboolean
reeve_gate_params_prepare (ReeveCall *call, ReeveSchemaCache *schemas, GError **error)
{
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (JsonArray) faults = json_array_new ();
  gboolean compatible = (call->operation->flags & REEVE_OPERATION_COMPATIBLE) != 0;
  gboolean good = TRUE;

  reeve_gate_params_take_given (call, params, faults);
  if (reeve_gate_params_names_nothing (call, params, NULL))
    return reeve_gate_params_refuse_name (error);
  if (call->operation->flags & REEVE_OPERATION_MULTIPART)
    good = reeve_gate_params_take_form (call, params, faults, error);
  else if (!compatible && call->operation->takes_body)
    good = reeve_gate_params_take_json (call, params, faults, error);
  if (!good)
    return FALSE;
  if (!compatible && json_array_get_length (faults) == 0)
    {
      if (!reeve_gate_params_validate (call, schemas, params, faults, error))
        return FALSE;
      if (reeve_gate_params_names_nothing (call, params, faults))
        return reeve_gate_params_refuse_name (error);
    }
  if (json_array_get_length (faults) > 0)
    {
      JsonObject *first = json_array_get_object_element (faults, 0);

      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s%s%s",
                   json_object_get_string_member (first, "pointer"),
                   *json_object_get_string_member (first, "pointer") != '\0' ? ": " : "",
                   json_object_get_string_member (first, "message"));
      reeve_call_take_faults (call, g_steal_pointer (&faults));
      return FALSE;
    }
  json_object_seal (params);
  reeve_call_take_params (call, g_steal_pointer (&params));
  return TRUE;
}

/**
 * reeve_gate_params_has_secrets:
 * @operation: an operation
 *
 * Returns: whether a member of what it takes is marked as secret
 */
gboolean
reeve_gate_params_has_secrets (const ReeveOperation *operation)
{
  for (const ReeveParameter *p = operation->parameters; p->name != NULL; p++)
    if (p->secret)
      return TRUE;
  return FALSE;
}

/* Guesses at a password would be tried on its digest, which many may read and which stays for
 * years: what is secret is left out, and beside it each member that nobody knows: it may be the
 * secret, misspelled. */
static JsonNode *
reeve_gate_params_make_public (const ReeveOperation *operation, JsonObject *params)
{
  g_autoptr (JsonObject) shown = json_object_new ();
  g_autoptr (GList) names = json_object_get_members (params);
  gboolean has_secrets = reeve_gate_params_has_secrets (operation);

  for (GList *l = names; l != NULL; l = l->next)
    {
      const ReeveParameter *parameter = reeve_gate_params_find (operation, l->data);

      if (parameter != NULL ? !parameter->secret : !has_secrets)
        json_object_set_member (shown, l->data,
                                json_node_ref (json_object_get_member (params, l->data)));
    }
  return json_node_init_object (json_node_alloc (), shown);
}

/**
 * reeve_gate_params_make_body:
 * @call: a prepared call
 *
 * What the ledger is to keep of the arguments. A compatible door has them in a body of its own; a
 * long one would take the door's thread too long.
 *
 * Returns: (transfer full) (nullable): them; %NULL: their digest is all
 */
JsonNode *
reeve_gate_params_make_body (ReeveCall *call)
{
  gsize size = call->body != NULL ? g_bytes_get_size (call->body) : 0;

  if ((call->operation->flags & REEVE_OPERATION_COMPATIBLE) == 0)
    return reeve_gate_params_make_public (call->operation, call->params);
  return size > 0 && size <= REEVE_GATE_PARAMS_KEPT
             ? reeve_json_parse_strict (g_bytes_get_data (call->body, NULL), size, NULL)
             : NULL;
}

/* (transfer full): the canonical parameters */
static char *
reeve_gate_params_spell_public (const ReeveOperation *operation, JsonObject *params)
{
  g_autoptr (JsonNode) node = NULL;

  /* as on most compatible doors */
  if (json_object_get_size (params) == 0)
    return g_strdup ("{}");
  node = reeve_gate_params_make_public (operation, params);
  return reeve_json_canonical (node);
}

/* @body: as it came, where it is no part of @params */
static char *
reeve_gate_params_digest_all (ReeveCall *call, JsonObject *params, GBytes *body)
{
  g_autofree char *canonical = reeve_gate_params_spell_public (call->operation, params);
  g_autoptr (ReeveDigests) digests = reeve_digests_begin ();
  guint8 digest[REEVE_DIGESTS_LENGTH] = { 0 };

  reeve_digests_update (digests, canonical, canonical != NULL ? strlen (canonical) : 0);
  if (body != NULL)
    reeve_digests_update (digests, g_bytes_get_data (body, NULL), g_bytes_get_size (body));
  for (guint i = 0; call->parts != NULL && i < call->parts->len; i++)
    {
      const ReeveCallPart *part = call->parts->pdata[i];
      const char *media_type = part->media_type != NULL ? part->media_type : "";
      guint8 file[REEVE_DIGESTS_LENGTH] = { 0 };

      if (part->file_name == NULL)
        continue;
      reeve_digests_sha256 (g_bytes_get_data (part->bytes, NULL), g_bytes_get_size (part->bytes),
                            file);
      reeve_digests_update (digests, file, sizeof file);
      reeve_digests_update (digests, media_type, strlen (media_type) + 1);
    }
  reeve_digests_finish (digests, digest);
  return reeve_digests_hex (digest, sizeof digest);
}

/**
 * reeve_gate_params_digest:
 * @call: a prepared call
 *
 * Doors and clients write the same request differently; it has the same digest for all that, and a
 * form does not hang on the boundary that a client made up for it. Members that the row marks as
 * secret (`writeOnly`) are none of it.
 *
 * Returns: (transfer full): SHA-256 of the canonical parameters, followed on a compatible door by
 * the body and in a form by the SHA-256 and the type of each of its files
 */
char *
reeve_gate_params_digest (ReeveCall *call)
{
  gboolean compatible = (call->operation->flags & REEVE_OPERATION_COMPATIBLE) != 0;

  return reeve_gate_params_digest_all (call, call->params, compatible ? call->body : NULL);
}

/* Members of path and query, those of no right type or name as they were written. */
static void
reeve_gate_params_take_written (ReeveCall *call, JsonObject *told)
{
  g_autoptr (GList) names = call->given != NULL ? json_object_get_members (call->given) : NULL;

  for (GList *l = names; l != NULL; l = l->next)
    {
      const ReeveParameter *parameter = reeve_gate_params_find (call->operation, l->data);
      JsonNode *value = json_object_get_member (call->given, l->data);
      JsonNode *typed = NULL;

      if (!call->typed && parameter != NULL)
        typed = reeve_gate_params_convert (parameter->type, json_node_get_string (value));
      json_object_set_member (told, l->data, typed != NULL ? typed : json_node_ref (value));
    }
}

/* Members of the body; FALSE: it is no JSON object. */
static gboolean
reeve_gate_params_take_members (ReeveCall *call, JsonObject *told)
{
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GList) names = NULL;
  JsonObject *object = NULL;

  if (!reeve_gate_params_is_media (call->media_type, "application/json"))
    return FALSE;
  node = wire_json_parse_bounded (g_bytes_get_data (call->body, NULL),
                                  g_bytes_get_size (call->body), REEVE_GATE_PARAMS_VALUES, NULL);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;
  object = json_node_get_object (node);
  names = json_object_get_members (object);
  for (GList *l = names; l != NULL; l = l->next)
    json_object_set_member (told, l->data,
                            json_node_ref (json_object_get_member (object, l->data)));
  return TRUE;
}

/**
 * reeve_gate_params_digest_told:
 * @call: a call that was refused, before its parameters were looked at or because of them
 *
 * A refusal says what was asked for too: of a request that is well formed the same as if it had
 * been let in. A body that is no JSON object counts byte by byte; not where the operation takes a
 * secret, which may be anywhere in it.
 *
 * Returns: (transfer full): as reeve_gate_params_digest() does
 */
char *
reeve_gate_params_digest_told (ReeveCall *call)
{
  g_autoptr (JsonObject) told = json_object_new ();
  g_autoptr (JsonArray) faults = json_array_new ();
  gboolean bytes = call->body != NULL && g_bytes_get_size (call->body) > 0;

  reeve_gate_params_take_written (call, told);
  for (guint i = 0; call->parts != NULL && i < call->parts->len; i++)
    reeve_gate_params_take_part (call, call->parts->pdata[i], told, faults);
  if (bytes && (call->operation->flags & REEVE_OPERATION_COMPATIBLE) == 0)
    bytes = call->parts == NULL && !reeve_gate_params_take_members (call, told)
            && !reeve_gate_params_has_secrets (call->operation);
  return reeve_gate_params_digest_all (call, told, bytes ? call->body : NULL);
}
