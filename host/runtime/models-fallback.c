/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is asked in the place of a model that failed. The router only names it: another model has
 * another price and another right, so whoever called asks the gate anew. */
#include "models-private.h"

#include <string.h>

#include "model-call.h"

#define REEVE_MODELS_UNTOUCHED "reeve-models-untouched"
#define REEVE_MODELS_GIVEN     "reeve-models-given"

typedef struct
{
  char *model;   /* provider/name, or a provider: all of its models */
  char **models; /* provider/name each, in their order */
} ReeveModelsFallback;

void
reeve_models_fallback_free (gpointer data)
{
  ReeveModelsFallback *self = data;

  g_free (self->model);
  g_strfreev (self->models);
  g_free (self);
}

/* (transfer full) (nullable): provider/name; @whole: a provider alone stays one */
static char *
reeve_models_fallback_read_name (ReeveModels *self, const char *text, gboolean whole,
                                 GError **error)
{
  g_autofree char *provider = NULL;
  g_autofree char *name = NULL;
  g_autofree char *prefix = g_strndup (text, strcspn (text, "/"));

  if (!reeve_models_has_provider (self, prefix))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "names provider %s, which is not configured", prefix);
      return NULL;
    }
  if (whole && strlen (prefix) == strlen (text))
    return g_steal_pointer (&prefix);
  if (!reeve_models_resolve (self, text, &provider, &name, error))
    return NULL;
  return g_strconcat (provider, "/", name, NULL);
}

static gboolean
reeve_models_fallback_read_models (ReeveModels *self, ReeveModelsFallback *row, JsonArray *names,
                                   char **faulty, GError **error)
{
  guint n = json_array_get_length (names);

  row->models = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *full = reeve_models_fallback_read_name (
          self, json_array_get_string_element (names, i), FALSE, error);

      if (full != NULL
          && (strcmp (full, row->model) == 0
              || g_strv_contains ((const char *const *) row->models, full)))
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s is there already", full);
      else if (full != NULL)
        {
          row->models[i] = g_steal_pointer (&full);
          continue;
        }
      *faulty = g_strdup_printf ("models.%u", i);
      return FALSE;
    }
  return TRUE;
}

static const ReeveModelsFallback *
reeve_models_fallback_find (ReeveModels *self, const char *model, gsize length)
{
  for (guint i = 0; i < self->fallbacks->len; i++)
    {
      const ReeveModelsFallback *row = g_ptr_array_index (self->fallbacks, i);

      if (strlen (row->model) == length && memcmp (row->model, model, length) == 0)
        return row;
    }
  return NULL;
}

static gboolean
reeve_models_fallback_read (ReeveModels *self, JsonObject *given, char **faulty, GError **error)
{
  ReeveModelsFallback *row = g_new0 (ReeveModelsFallback, 1);
  g_autofree char *model = reeve_models_fallback_read_name (
      self, reeve_json_get_string (given, "model", ""), TRUE, error);
  gboolean twice
      = model != NULL && reeve_models_fallback_find (self, model, strlen (model)) != NULL;

  if (twice)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s is there already", model);
  row->model = g_strdup (twice || model == NULL ? "" : model);
  g_ptr_array_add (self->fallbacks, row);
  if (model == NULL || twice)
    {
      *faulty = g_strdup ("model");
      return FALSE;
    }
  return reeve_models_fallback_read_models (self, row, reeve_json_get_array (given, "models"),
                                            faulty, error);
}

/* Rows of `llm.fallbacks`: [{model, models[]}]; behind the providers. */
gboolean
reeve_models_fallback_configure (ReeveModels *self, JsonArray *rows, char **faulty, GError **error)
{
  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    {
      g_autofree char *member = NULL;

      if (reeve_models_fallback_read (self, json_array_get_object_element (rows, i), &member,
                                      error))
        continue;
      *faulty = g_strdup_printf ("fallbacks.%u.%s", i, member);
      return FALSE;
    }
  return TRUE;
}

gboolean
reeve_models_fallback_names (ReeveModels *self, const char *model)
{
  for (guint i = 0; i < self->fallbacks->len; i++)
    {
      const ReeveModelsFallback *row = g_ptr_array_index (self->fallbacks, i);

      if (strcmp (row->model, model) == 0
          || g_strv_contains ((const char *const *) row->models, model))
        return TRUE;
    }
  return FALSE;
}

void
reeve_models_fallback_mark (GTask *task)
{
  g_object_set_data (G_OBJECT (task), REEVE_MODELS_UNTOUCHED, GINT_TO_POINTER (TRUE));
}

void
reeve_models_note_given (GTask *task, ReeveModelResponseBuilder *builder)
{
  char *digest = builder != NULL ? reeve_model_response_builder_digest (builder) : NULL;

  if (digest != NULL)
    g_object_set_data_full (G_OBJECT (task), REEVE_MODELS_GIVEN, digest, g_free);
}

/**
 * reeve_models_dup_given:
 * @result: of a call that failed
 *
 * Returns: (transfer full) (nullable): SHA-256 of the words that came of an answer before it did,
 * hexadecimal; %NULL where none came
 */
char *
reeve_models_dup_given (GAsyncResult *result)
{
  return g_strdup (g_object_get_data (G_OBJECT (result), REEVE_MODELS_GIVEN));
}

/**
 * reeve_models_readdress:
 * @request: what was asked
 * @model: another model
 * @max_tokens: how long the answer may be; 0: as the service likes
 *
 * Returns: (transfer full): the same question, for @model
 */
ReeveLlmRequest *
reeve_models_readdress (ReeveLlmRequest *request, const char *model, guint max_tokens)
{
  ReeveLlmRequest *other = reeve_llm_request_new (reeve_llm_request_get_task (request), model);
  GBytes *raw = reeve_llm_request_get_raw (request);

  if (raw != NULL)
    reeve_llm_request_set_raw (other, raw);
  else
    {
      reeve_llm_request_set_messages (other, reeve_llm_request_get_messages (request));
      reeve_llm_request_set_tools (other, reeve_llm_request_get_tools (request));
    }
  reeve_llm_request_set_input (other, reeve_llm_request_get_input (request));
  reeve_llm_request_set_max_tokens (other, max_tokens);
  reeve_llm_request_set_temperature (other, reeve_llm_request_get_temperature (request));
  reeve_llm_request_set_stream (other, reeve_llm_request_get_stream (request));
  return other;
}

/**
 * reeve_models_dup_behind:
 * @self: a router
 * @first: the model that was wanted, as `provider/name`
 * @failed: @first, or one that was named to be asked in its place
 *
 * Returns: (transfer full) (nullable): who comes behind @failed by configuration section
 * `llm.fallbacks`, whatever became of it; %NULL: nobody
 */
char *
reeve_models_dup_behind (ReeveModels *self, const char *first, const char *failed)
{
  const ReeveModelsFallback *row = reeve_models_fallback_find (self, first, strlen (first));
  guint i = 0;

  if (row == NULL)
    row = reeve_models_fallback_find (self, first, strcspn (first, "/"));
  if (row == NULL)
    return NULL;
  if (strcmp (failed, first) != 0)
    while (row->models[i] != NULL && strcmp (row->models[i], failed) != 0)
      i++;
  if (strcmp (failed, first) != 0 && row->models[i] != NULL)
    i++;
  /* a row of a provider may name the very model that was wanted */
  if (row->models[i] != NULL && strcmp (row->models[i], first) == 0)
    i++;
  return g_strdup (row->models[i]);
}

/**
 * reeve_models_dup_next:
 * @self: a router
 * @result: of a call that failed
 * @first: the model that was wanted, as `provider/name`
 * @failed: the one that failed, in the same form: @first, or what this function named
 *
 * Another is asked only where the one that failed said nothing of an answer, and its service
 * refused (429, 5xx), could not be reached, or its plugin ended, is quarantined or disabled. Where
 * it may have answered, and may be paid, nobody else is asked.
 *
 * Returns: (transfer full) (nullable): the model that is to be asked in its place, which takes an
 * admission of its own; %NULL: none
 */
char *
reeve_models_dup_next (ReeveModels *self, GAsyncResult *result, const char *first,
                       const char *failed)
{
  return g_object_get_data (G_OBJECT (result), REEVE_MODELS_UNTOUCHED) != NULL
             ? reeve_models_dup_behind (self, first, failed)
             : NULL;
}
