/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokenizers differ, and none can be asked. What they have in common: a token is at least a byte,
 * words are cut into pieces, the shorter the less the word looks like one of a language, and
 * digits, signs and letters outside ASCII may be tokens of their own.
 * tests/runtime/test-token-estimate.c has how far this is from what tokenizers count. */
#include "token-estimate.h"

#include <reeve-json.h>
#include <string.h>

/* letters of a piece: at the begin of a word, and behind it */
#define REEVE_TOKEN_ESTIMATE_FIRST 3
#define REEVE_TOKEN_ESTIMATE_NEXT  2
/* consonants in a row, letters in a word: beyond that it is hardly one */
#define REEVE_TOKEN_ESTIMATE_HARD 3
#define REEVE_TOKEN_ESTIMATE_LONG 12
/* around a message: its role, its ends, the names of its members */
#define REEVE_TOKEN_ESTIMATE_MESSAGE 10
#define REEVE_TOKEN_ESTIMATE_START   8
/* a picture or another part that is no text: what the largest tile schemes take */
#define REEVE_TOKEN_ESTIMATE_PART  4096
#define REEVE_TOKEN_ESTIMATE_DEPTH 64

/* The word that is being read. */
typedef struct
{
  gsize letters;    /* of it so far */
  gsize piece;      /* of its last piece */
  guint consonants; /* in a row */
  gboolean odd;     /* no word: every letter may be a token */
  guchar before;    /* the byte before */
} ReeveTokenWord;

static gboolean
reeve_token_estimate_is_vowel (guchar c)
{
  static const char vowels[] = "aeiouyAEIOUY";

  return memchr (vowels, c, sizeof vowels - 1) != NULL;
}

/* Does a new token begin with this letter? */
static gboolean
reeve_token_estimate_cuts (ReeveTokenWord *word, guchar c)
{
  gboolean upper = g_ascii_isupper (c) && g_ascii_isupper (word->before);
  gboolean turn = g_ascii_isupper (c) && g_ascii_islower (word->before);

  if (word->letters == 0)
    word->odd = g_ascii_isdigit (word->before);
  /* capitals at every turn: coded bytes, not names put together */
  word->odd = word->odd || (turn && word->piece < REEVE_TOKEN_ESTIMATE_FIRST);
  word->consonants = reeve_token_estimate_is_vowel (c) ? 0 : word->consonants + 1;
  return word->letters == 0 || word->odd || turn || word->letters >= REEVE_TOKEN_ESTIMATE_LONG
         || word->consonants >= REEVE_TOKEN_ESTIMATE_HARD
         || word->piece >= (word->letters <= REEVE_TOKEN_ESTIMATE_FIRST && !upper
                                ? REEVE_TOKEN_ESTIMATE_FIRST
                                : REEVE_TOKEN_ESTIMATE_NEXT);
}

/**
 * reeve_token_estimate_text:
 * @text: UTF-8
 * @length: in bytes
 *
 * Returns: how many tokens it may be at most, for all tokenizers that are known to us and texts as
 * people and programs write them
 */
gint64
reeve_token_estimate_text (const char *text, gsize length)
{
  ReeveTokenWord word = { .before = ' ' };
  gint64 tokens = 0;

  for (gsize i = 0; i < length; i++)
    {
      guchar c = (guchar) text[i];

      if (g_ascii_isalpha (c))
        {
          gboolean cuts = reeve_token_estimate_cuts (&word, c);

          tokens += cuts;
          word.piece = cuts ? 1 : word.piece + 1;
          word.letters++;
        }
      else
        {
          /* the space before a word is part of it */
          tokens += c != ' ' || word.letters == 0;
          word = (ReeveTokenWord){ 0 };
        }
      word.before = c;
    }
  return tokens;
}

/**
 * reeve_token_estimate_bytes:
 * @bytes: of a text
 *
 * Returns: about as many tokens as it has
 */
gint64
reeve_token_estimate_bytes (gsize bytes)
{
  return (gint64) ((bytes + 3) / 4);
}

/**
 * reeve_token_estimate_texts:
 * @texts: texts
 *
 * Returns: how many tokens they may be at most
 */
gint64
reeve_token_estimate_texts (const char *const *texts)
{
  gint64 tokens = 0;

  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    tokens += reeve_token_estimate_text (texts[i], strlen (texts[i])) + 1;
  return tokens;
}

static gint64 reeve_token_estimate_node (JsonNode *node, guint depth);

static gint64
reeve_token_estimate_object (JsonObject *object, guint depth)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;
  const char *type = reeve_json_get_string (object, "type", NULL);
  gint64 tokens = 0;

  /* a part of a message */
  if (type != NULL
      && (json_object_has_member (object, "image_url") || json_object_has_member (object, "file")
          || json_object_has_member (object, "input_audio")))
    return REEVE_TOKEN_ESTIMATE_PART;
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &value))
    tokens += reeve_token_estimate_text (name, strlen (name)) + 3
              + reeve_token_estimate_node (value, depth);
  return tokens;
}

static gint64
reeve_token_estimate_array (JsonArray *array, guint depth)
{
  gint64 tokens = 0;

  for (guint i = 0; i < json_array_get_length (array); i++)
    tokens += 1 + reeve_token_estimate_node (json_array_get_element (array, i), depth);
  return tokens;
}

static gint64
reeve_token_estimate_node (JsonNode *node, guint depth)
{
  const char *text = NULL;

  if (depth >= REEVE_TOKEN_ESTIMATE_DEPTH)
    return REEVE_TOKEN_ESTIMATE_PART;
  if (JSON_NODE_HOLDS_OBJECT (node))
    return reeve_token_estimate_object (json_node_get_object (node), depth + 1);
  if (JSON_NODE_HOLDS_ARRAY (node))
    return reeve_token_estimate_array (json_node_get_array (node), depth + 1);
  if (JSON_NODE_HOLDS_NULL (node))
    return 1;
  text = json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
  return text != NULL ? reeve_token_estimate_text (text, strlen (text))
                      : REEVE_TOKEN_ESTIMATE_START;
}

/* The usual one has a role and a text; whatever else there is, is counted with its JSON. */
static gint64
reeve_token_estimate_message (JsonNode *node)
{
  JsonObject *message = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *content = message != NULL ? reeve_json_get_string (message, "content", NULL) : NULL;

  if (content != NULL && json_object_get_size (message) == 2)
    return REEVE_TOKEN_ESTIMATE_MESSAGE + reeve_token_estimate_text (content, strlen (content));
  return REEVE_TOKEN_ESTIMATE_MESSAGE + reeve_token_estimate_node (node, 0);
}

/**
 * reeve_token_estimate_chat:
 * @messages: (nullable): in OpenAI's shape
 * @tools: (nullable): in OpenAI's shape
 *
 * Returns: how many tokens a model may read at most
 */
gint64
reeve_token_estimate_chat (JsonArray *messages, JsonArray *tools)
{
  gint64 tokens = REEVE_TOKEN_ESTIMATE_START;

  for (guint i = 0; messages != NULL && i < json_array_get_length (messages); i++)
    tokens += reeve_token_estimate_message (json_array_get_element (messages, i));
  for (guint i = 0; tools != NULL && i < json_array_get_length (tools); i++)
    tokens += REEVE_TOKEN_ESTIMATE_MESSAGE
              + reeve_token_estimate_node (json_array_get_element (tools, i), 0);
  return tokens;
}
