/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out whether a question is plain arithmetic, and writes it as an expression.
 *
 * Every word of the question must be a number, an operator or filler: a question with any other
 * word
 * ("15 % of the relief pressure") is one for the documents. */
#include "extractive-sums.h"

#include <string.h>

#define MAX_SUM 400 /* bytes of a question that may be one */

typedef struct
{
  const gchar *word; /* may be of two words */
  const gchar *sign; /* "" for filler */
} SumWord;

/* longer ones before their beginnings */
static const SumWord sum_words[] = {
  { "multiplied by", "*" },
  { "multiplied with", "*" },
  { "divided by", "/" },
  { "geteilt durch", "/" },
  { "to the power of", "^" },
  { "hoch", "^" },
  { "plus", "+" },
  { "minus", "-" },
  { "times", "*" },
  { "mal", "*" },
  { "over", "/" },
  { "percent of", "/100*" },
  { "per cent of", "/100*" },
  { "prozent von", "/100*" },
  { "% of", "/100*" },
  { "% von", "/100*" },
  { "what's", "" },
  { "what", "" },
  { "how much", "" },
  { "how many", "" },
  { "is", "" },
  { "are", "" },
  { "the", "" },
  { "result", "" },
  { "value", "" },
  { "of", "" },
  { "calculate", "" },
  { "compute", "" },
  { "work out", "" },
  { "evaluate", "" },
  { "please", "" },
  { "equals", "" },
  { "equal", "" },
  { "does", "" },
  { "make", "" },
  { "me", "" },
  { "can", "" },
  { "you", "" },
  { "wie viel", "" },
  { "wieviel", "" },
  { "was", "" },
  { "ist", "" },
  { "sind", "" },
  { "ergibt", "" },
  { "berechne", "" },
  { "rechne", "" },
  { "bitte", "" },
  { "das", "" },
  { "ergebnis", "" },
  { "von", "" },
  { "gibt", "" },
  { "and", "" },
  { "then", "" },
  { "sum", "" },
  { "x", "*" },
};

static const SumWord sum_signs[] = {
  { "×", "*" }, { "·", "*" }, { "÷", "/" }, { "−", "-" }, { "**", "^" }, { "+", "+" }, { "-", "-" },
  { "*", "*" }, { "/", "/" }, { "^", "^" }, { "(", "(" }, { ")", ")" },  { ":", "" },  { "?", "" },
  { "=", "" },  { ".", "" },  { ",", "" },  { "!", "" },  { "\"", "" },  { "`", "" },
};

/* a number, with a point or commas between groups of three; appended without the commas */
static gsize
extractive_sums_take_number (const gchar *text, GString *out)
{
  gsize n = 0;

  while (g_ascii_isdigit (text[n])
         || (n > 0 && strchr (".,", text[n]) != NULL && text[n] != '\0'
             && g_ascii_isdigit (text[n + 1])))
    {
      gboolean group = text[n] == ',' && strspn (text + n + 1, "0123456789") == 3;

      if (!group)
        g_string_append_c (out, text[n] == ',' ? '.' : text[n]);
      n++;
    }
  return n;
}

/* the entry of a table that @text begins with; words must end where it ends */
static const SumWord *
extractive_sums_match (const gchar *text, const SumWord *table, gsize length, gboolean words)
{
  for (gsize i = 0; i < length; i++)
    {
      gsize n = strlen (table[i].word);

      if (g_ascii_strncasecmp (text, table[i].word, n) == 0
          && !(words && g_ascii_isalpha (text[n]) && g_ascii_isalpha (text[n - 1])))
        return &table[i];
    }
  return NULL;
}

/* an expression has two numbers, an operator between them and closed brackets, and ends in neither
 */
static gboolean
extractive_sums_is_whole (const gchar *sum)
{
  guint numbers = 0;
  guint operators = 0;
  gint open = 0;
  gsize n = strlen (sum);

  for (gsize i = 0; i < n; i++)
    {
      if (g_ascii_isdigit (sum[i])
          && (i == 0 || (!g_ascii_isdigit (sum[i - 1]) && sum[i - 1] != '.')))
        numbers++;
      if (strchr ("+-*/^", sum[i]) != NULL)
        operators++;
      open += sum[i] == '(' ? 1 : sum[i] == ')' ? -1 : 0;
      if (open < 0)
        return FALSE;
    }
  return open == 0 && numbers >= 2 && operators >= 1 && strchr ("+-*/^(", sum[n - 1]) == NULL
         && strchr ("+*/^)", sum[0]) == NULL;
}

/**
 * extractive_sums_find:
 * @text: a question
 *
 * Returns: (transfer full) (nullable): the expression it asks to have worked out (numbers, + - * /
 * ^ and brackets), or %NULL when it asks for anything else
 */
gchar *
extractive_sums_find (const gchar *text)
{
  g_autoptr (GString) sum = g_string_new (NULL);
  gboolean number_before = FALSE;

  if (strlen (text) > MAX_SUM)
    return NULL;
  for (const gchar *p = text; *p != '\0';)
    {
      const SumWord *found;

      if (g_ascii_isspace (*p))
        {
          p++;
          continue;
        }
      if (g_ascii_isdigit (*p))
        {
          if (number_before)
            return NULL;
          p += extractive_sums_take_number (p, sum);
          number_before = TRUE;
          continue;
        }
      found = extractive_sums_match (p, sum_words, G_N_ELEMENTS (sum_words), TRUE);
      if (found == NULL)
        found = extractive_sums_match (p, sum_signs, G_N_ELEMENTS (sum_signs), FALSE);
      if (found == NULL)
        return NULL;
      if (*found->sign != '\0')
        number_before = *found->sign == ')';
      g_string_append (sum, found->sign);
      p += strlen (found->word);
    }
  if (sum->len == 0 || !extractive_sums_is_whole (sum->str))
    return NULL;
  return g_string_free (g_steal_pointer (&sum), FALSE);
}
