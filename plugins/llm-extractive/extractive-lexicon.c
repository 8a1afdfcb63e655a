/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin knows of English and German: small words, weak words, words that mean alike.
 *
 * All words are in the form extractive_words_split gives them: lower case, without diacritics. */
#include "extractive-lexicon.h"

#include <string.h>

/* words that only hold a sentence together */
static const gchar *const stop_english[] = {
  "a",      "about",   "above",   "after",   "again",  "all",  "also",    "am",        "an",
  "and",    "any",     "are",     "aren",    "as",     "at",   "be",      "because",   "been",
  "before", "being",   "below",   "between", "both",   "but",  "by",      "can",       "cannot",
  "could",  "couldn",  "d",       "did",     "didn",   "do",   "does",    "doesn",     "doing",
  "don",    "down",    "during",  "each",    "either", "else", "ever",    "exactly",   "few",
  "for",    "from",    "further", "had",     "has",    "hasn", "have",    "having",    "he",
  "her",    "here",    "him",     "his",     "how",    "i",    "if",      "in",        "into",
  "is",     "isn",     "it",      "its",     "itself", "just", "let",     "ll",        "m",
  "may",    "me",      "might",   "more",    "most",   "my",   "myself",  "no",        "nor",
  "not",    "now",     "of",      "off",     "on",     "once", "one",     "only",      "or",
  "other",  "our",     "ours",    "out",     "over",   "own",  "per",     "please",    "re",
  "s",      "same",    "shall",   "she",     "so",     "some", "someone", "something", "such",
  "t",      "than",    "that",    "the",     "their",  "them", "then",    "there",     "these",
  "they",   "this",    "those",   "through", "to",     "too",  "under",   "until",     "up",
  "upon",   "us",      "ve",      "very",    "was",    "we",   "were",    "what",      "when",
  "where",  "whether", "which",   "while",   "who",    "whom", "whose",   "why",       "will",
  "with",   "within",  "without", "won",     "would",  "you",  "your",    "yours",     "yourself",
  NULL
};

static const gchar *const stop_german[] = {
  "ab",      "aber",    "alle",    "allem",   "allen",  "aller",  "alles",  "als",    "also",
  "am",      "an",      "andere",  "anderen", "auch",   "auf",    "aus",    "bei",    "beim",
  "bin",     "bis",     "bitte",   "da",      "dabei",  "dafur",  "damit",  "dann",   "das",
  "dass",    "dein",    "dem",     "den",     "denn",   "der",    "des",    "dessen", "die",
  "dies",    "diese",   "diesem",  "diesen",  "dieser", "dieses", "doch",   "dort",   "du",
  "durch",   "durfen",  "darf",    "ein",     "eine",   "einem",  "einen",  "einer",  "eines",
  "er",      "es",      "etwas",   "euch",    "fur",    "gegen",  "gibt",   "hab",    "habe",
  "haben",   "hat",     "hatte",   "hier",    "ich",    "ihr",    "ihre",   "ihrem",  "ihren",
  "ihrer",   "im",      "in",      "ins",     "ist",    "ja",     "jede",   "jedem",  "jeden",
  "jeder",   "jedes",   "kann",    "kein",    "keine",  "konnen", "man",    "mehr",   "mein",
  "mich",    "mir",     "mit",     "muss",    "mussen", "nach",   "nicht",  "noch",   "nur",
  "ob",      "oder",    "ohne",    "sehr",    "sein",   "seine",  "sich",   "sie",    "sind",
  "so",      "soll",    "sollen",  "sollte",  "uber",   "um",     "und",    "uns",    "unser",
  "unter",   "vom",     "von",     "vor",     "wann",   "war",    "warum",  "was",    "welche",
  "welchem", "welchen", "welcher", "welches", "wenn",   "wer",    "werden", "wie",    "wieso",
  "wieviel", "wird",    "wo",      "wodurch", "womit",  "worauf", "wurde",  "zu",     "zum",
  "zur",     NULL
};

/* words of questions about documents in general: they say little about what is sought */
static const gchar *const weak[]
    = { "able",       "according", "already",   "another",    "anyone",   "apply",     "certain",
        "concerning", "handle",    "handled",   "instead",    "keep",     "meant",     "particular",
        "prevent",    "regarding", "sense",     "somebody",   "there",    "treat",     "treated",
        "try",        "various",   "avoid",     "answer",     "are",      "called",    "case",
        "command",    "define",    "defined",   "definition", "describe", "described", "does",
        "document",   "documents", "explain",   "file",       "files",    "find",      "flag",
        "following",  "get",       "give",      "given",      "go",       "goes",      "happen",
        "happens",    "kind",      "know",      "list",       "make",     "makes",     "manual",
        "many",       "mean",      "means",     "much",       "must",     "name",      "need",
        "needed",     "often",     "option",    "options",    "people",   "person",    "possible",
        "program",    "required",  "say",       "says",       "sentence", "should",    "show",
        "state",      "stated",    "states",    "tell",       "text",     "thing",     "things",
        "type",       "use",       "used",      "using",      "want",     "way",       "word",
        "work",       "works",     "anleitung", "bedeutet",   "dokument", "handbuch",  "heisst",
        "laut",       "machen",    "sage",      "viel",       "viele",    "wort",      NULL };

/* words that stand for something said before */
static const gchar *const pronouns[]
    = { "it",    "its",  "they",   "them",  "their", "this",   "that",  "these",
        "those", "such", "he",     "she",   "er",    "es",     "sie",   "ihn",
        "ihm",   "dies", "dessen", "deren", "diese", "dieser", "dabei", NULL };

static const gchar *const numbers[]
    = { "two",     "three",  "four",    "five",    "six",    "seven",   "eight",    "nine",
        "ten",     "eleven", "twelve",  "twenty",  "thirty", "hundred", "thousand", "half",
        "twice",   "double", "zero",    "once",    "single", "zwei",    "drei",     "vier",
        "funf",    "sechs",  "sieben",  "acht",    "neun",   "zehn",    "zwolf",    "hundert",
        "tausend", "einmal", "zweimal", "doppelt", NULL };

static const gchar *const times[] = {
  "second",    "seconds",     "minute",      "minutes",  "hour",    "hours",       "day",
  "days",      "week",        "weeks",       "month",    "months",  "year",        "years",
  "shift",     "shifts",      "daily",       "weekly",   "monthly", "yearly",      "annually",
  "quarterly", "anniversary", "date",        "every",    "after",   "before",      "until",
  "when",      "whenever",    "immediately", "monday",   "tuesday", "wednesday",   "thursday",
  "friday",    "saturday",    "sunday",      "sekunden", "minuten", "stunden",     "tag",
  "tage",      "tagen",       "tagen",       "woche",    "wochen",  "monat",       "monate",
  "monaten",   "jahr",        "jahre",       "jahren",   "taglich", "wochentlich", "monatlich",
  "jahrlich",  "alle",        "nach",        "vor",      "schicht", NULL
};

/* each row: words that ask for, or state, nearly the same */
static const gchar *const alike[][10] = {
  { "interval", "frequency", "every", "periodically", "regularly", NULL },
  { "maximum", "max", "highest", "exceed", "limit", "most", "largest", "longest", NULL },
  { "minimum", "min", "lowest", "least", "smallest", NULL },
  { "allowed", "permitted", "permission", "allow", "permit", "permits", "may", "permissible",
    NULL },
  { "forbidden", "prohibited", "prohibit", "forbid", "never", "disallowed", "deny", NULL },
  { "stop", "shut", "shutdown", "off", "halt", "quit", "terminate", "end", NULL },
  { "terminate", "termination", "cancel", "revoke", "lose", "void", "cease", NULL },
  { "start", "begin", "restart", "startup", "commence", "on", NULL },
  { "delete", "remove", "removal", "erase", "discard", "drop", NULL },
  { "display", "print", "show", "output", "write", "list", NULL },
  { "copy", "duplicate", "reproduce", "copying", NULL },
  { "change", "modify", "alter", "modification", "edit", "adapt", NULL },
  { "replace", "exchange", "change", "renew", "swap", "substitute", "overwrite", NULL },
  { "jurisdiction", "law", "governed", "courts", "governing", NULL },
  { "warranty", "guarantee", "warranties", "guaranteed", NULL },
  { "fee", "charge", "price", "cost", "pay", "money", "payment", NULL },
  { "royalty", "royalties", "fee", NULL },
  { "sell", "sale", "selling", "commercial", "commercially", NULL },
  { "directory", "folder", "directories", NULL },
  { "reverse", "invert", "inverse", "descending", "backwards", NULL },
  { "big", "size", "large", "bytes", NULL },
  { "ignore", "skip", "disregard", "regardless", "insensitive", NULL },
  { "recursive", "recursively", "recurse", "subdirectories", NULL },
  { "liable", "liability", "damages", "responsible", NULL },
  { "responsible", "responsibility", "charge", "duty", NULL },
  { "sue", "litigation", "lawsuit", "court", NULL },
  { "violate", "violation", "breach", "noncompliance", "comply", "infringe", NULL },
  { "cure", "remedy", "fix", "correct", "reinstate", "repair", NULL },
  { "clean", "cleaning", "wash", "flush", "wipe", NULL },
  { "check", "inspect", "inspection", "verify", "test", "examine", "measure", NULL },
  { "oil", "lubricant", "fluid", "lubrication", "grease", NULL },
  { "error", "fault", "alarm", "failure", "malfunction", NULL },
  { "cause", "reason", "because", "due", NULL },
  { "purpose", "intended", "goal", "aim", NULL },
  { "publish", "publication", "published", "publisher", "release", NULL },
  { "author", "authors", "writer", "creator", "wrote", "written", NULL },
  { "define", "definition", "means", "refers", "meaning", "defined", NULL },
  { "provide", "supply", "deliver", "give", "offer", "accompany", NULL },
  { "translate", "translation", "language", NULL },
  { "title", "name", "called", NULL },
  { "credit", "attribution", "acknowledgement", "acknowledge", NULL },
  { "combine", "merge", "join", "aggregate", "link", "concatenate", NULL },
  { "separator", "delimiter", "separate", "delim", NULL },
  { "count", "number", "total", "counts", NULL },
  { "obtain", "get", "receive", "access", NULL },
  { "minor", "brief", "short", "small", NULL },
  { "trademark", "trademarks", "logo", "mark", NULL },
  { "contact", "address", "telephone", "phone", "call", "reach", NULL },
  { "wear", "wearing", "protective", "gloves", "goggles", NULL },
  { "human", "numeric", "readable", NULL },
  { "newest", "recent", "time", "modification", "latest", NULL },
  { "hidden", "starting", "dot", "entries", NULL },
  { "first", "leading", "beginning", "head", NULL },
  { "last", "final", "end", "trailing", NULL },
  { "unique", "duplicate", "duplicates", "repeated", "uniq", NULL },
  { "company", "corporation", "organization", "enterprise", "entity", NULL },
  { "revoke", "revocable", "irrevocable", "terminate", NULL },
  { "consequence", "leads", "result", "effect", NULL },
  { "ask", "asks", "prompt", "confirm", "confirmation", "interactive", NULL },
  { "wait", "pause", "delay", "sleep", NULL },
  { "temperature", "degrees", "heat", "hot", "celsius", "c", NULL },
  { "pressure", "bar", "psi", NULL },
  { "torque", "nm", "tighten", NULL },
  { "weight", "kg", "heavy", "weigh", NULL },
  { "speed", "rpm", "fast", "velocity", NULL },
  { "wechseln", "tauschen", "austauschen", "ersetzen", "wechsel", NULL },
  { "prufen", "kontrollieren", "uberprufen", "messen", "prufung", NULL },
  { "reinigen", "saubern", "reinigung", NULL },
  { "starten", "einschalten", "anfahren", "inbetriebnahme", NULL },
  { "stoppen", "abschalten", "ausschalten", "anhalten", NULL },
  { "storung", "fehler", "alarm", NULL },
  { "ursache", "grund", "weil", NULL },
  { "maximal", "hochstens", "hochste", "maximale", NULL },
  { "minimal", "mindestens", "niedrigste", "mindestmenge", NULL },
  { "abstand", "intervall", "haufig", "oft", NULL },
};

/**
 * extractive_lexicon_guess:
 * @words: (array zero-terminated=1): words of a question
 *
 * Returns: the language whose small words it has more of; English when in doubt
 */
ExtractiveLanguage
extractive_lexicon_guess (const gchar *const *words)
{
  guint english = 0;
  guint german = 0;

  for (; *words != NULL; words++)
    {
      english += g_strv_contains (stop_english, *words) ? 1 : 0;
      german += g_strv_contains (stop_german, *words) ? 1 : 0;
    }
  return german > english ? EXTRACTIVE_LANGUAGE_GERMAN : EXTRACTIVE_LANGUAGE_ENGLISH;
}

/**
 * extractive_lexicon_is_stop:
 * @word: a word
 * @language: the language it stands in
 *
 * Returns: whether the word carries no meaning of its own
 */
gboolean
extractive_lexicon_is_stop (const gchar *word, ExtractiveLanguage language)
{
  return g_strv_contains (language == EXTRACTIVE_LANGUAGE_GERMAN ? stop_german : stop_english,
                          word);
}

/**
 * extractive_lexicon_is_weak:
 * @word: a word of a question
 *
 * Returns: whether it says little about what is sought
 */
gboolean
extractive_lexicon_is_weak (const gchar *word)
{
  return g_strv_contains (weak, word);
}

/**
 * extractive_lexicon_is_pronoun:
 * @word: a word
 *
 * Returns: whether it stands for something that was said before
 */
gboolean
extractive_lexicon_is_pronoun (const gchar *word)
{
  return g_strv_contains (pronouns, word);
}

/**
 * extractive_lexicon_is_number:
 * @word: a word
 *
 * Returns: whether it states a number, in digits or letters
 */
gboolean
extractive_lexicon_is_number (const gchar *word)
{
  return strpbrk (word, "0123456789") != NULL || g_strv_contains (numbers, word);
}

/**
 * extractive_lexicon_is_year:
 * @word: a word
 *
 * Returns: whether it looks like the number of a year
 */
gboolean
extractive_lexicon_is_year (const gchar *word)
{
  return strlen (word) == 4 && strspn (word, "0123456789") == 4
         && (word[0] == '1' || word[0] == '2');
}

/**
 * extractive_lexicon_is_time:
 * @word: a word
 *
 * Returns: whether it belongs to a statement of time
 */
gboolean
extractive_lexicon_is_time (const gchar *word)
{
  return g_strv_contains (times, word);
}

/**
 * extractive_lexicon_get_alike:
 * @group: 0, 1, 2 …
 *
 * Returns: (nullable) (array zero-terminated=1): words that mean nearly the same, %NULL after the
 * last group
 */
const gchar *const *
extractive_lexicon_get_alike (guint group)
{
  return group < G_N_ELEMENTS (alike) ? alike[group] : NULL;
}
