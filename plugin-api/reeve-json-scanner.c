/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One pass over a JSON text that says whether it is strictly RFC 8259, and where its top-level
 * members stand. It keeps no tree: a stack of open containers and the names of their members are
 * all its state, in the frame of one function for any usual text. Names are compared when their
 * object ends: pairwise while they are few, by sorting when they are many, so that no choice of
 * names makes it quadratic. */
/* layers: allow file-size: one automaton over one state; its halves would share all of it */
#include "reeve-json-scanner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* digits of one number; the longest exact decimal expansion of a double has 1,075 */
#define REEVE_JSON_SCANNER_NUMBER   1100
#define REEVE_JSON_SCANNER_PAIRWISE 16
/* bytes of a JSON pointer in an error text */
#define REEVE_JSON_SCANNER_POINTER 256

typedef enum
{
  REEVE_JSON_SCANNER_VALUE,
  REEVE_JSON_SCANNER_FIRST_VALUE,
  REEVE_JSON_SCANNER_NAME,
  REEVE_JSON_SCANNER_FIRST_NAME,
  REEVE_JSON_SCANNER_AFTER
} ReeveJsonScannerState;

/* name of a member, between its quotes */
typedef struct
{
  const char *text;
  guint32 length;
  gboolean escaped;
} ReeveJsonScannerName;

/* an open container */
typedef struct
{
  gboolean is_object;
  gboolean escaped;   /* some name in it is written with escapes */
  guint32 index;      /* of the element in an array */
  guint32 first_name; /* where its names begin */
} ReeveJsonScannerFrame;

typedef struct
{
  const char *data;
  const char *end;
  const char *fault_at;
  const char *fault;
  const char *const *names;
  ReeveJsonSlice *slices;
  ReeveJsonSlice *open_slice; /* the wanted member whose value is being read */
  ReeveJsonScannerState state;
  guint depth;
  guint n_seen;
  guint seen_size;
  ReeveJsonScannerName *seen;      /* names of all open objects, innermost last */
  ReeveJsonScannerName *heap_seen; /* NULL while they fit in few */
  ReeveJsonScannerFrame frames[REEVE_JSON_MAX_DEPTH];
  ReeveJsonScannerName few[96];
} ReeveJsonScanner;

static const char *
reeve_json_scanner_fail (ReeveJsonScanner *self, const char *at, const char *fault)
{
  self->fault_at = at;
  self->fault = fault;
  return NULL;
}

static inline const char *
reeve_json_scanner_skip_space (const char *at, const char *end)
{
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
    at++;
  return at;
}

/* ---- strings ---- */

/* first byte that is not plain ASCII content of a string */
static inline const char *
reeve_json_scanner_skip_plain (const char *at, const char *end)
{
#ifdef __SSE2__
  const __m128i low = _mm_set1_epi8 (0x20);
  const __m128i quote = _mm_set1_epi8 ('"');
  const __m128i backslash = _mm_set1_epi8 ('\\');

  while (end - at >= 16)
    {
      __m128i block = _mm_loadu_si128 ((const __m128i *) at);
      /* signed: bytes from 0x80 are less than 0x20 too */
      __m128i special = _mm_or_si128 (
          _mm_cmplt_epi8 (block, low),
          _mm_or_si128 (_mm_cmpeq_epi8 (block, quote), _mm_cmpeq_epi8 (block, backslash)));
      guint mask = (guint) _mm_movemask_epi8 (special);
      if (mask != 0)
        return at + __builtin_ctz (mask);
      at += 16;
    }
#endif
  while (at < end && (guint8) *at >= 0x20 && (guint8) *at < 0x80 && *at != '"' && *at != '\\')
    at++;
  return at;
}

const char *
reeve_json_scanner_skip_run (const char *at, const char *end)
{
  for (;;)
    {
      at = reeve_json_scanner_skip_plain (at, end);
      if (at == end || (guint8) *at < 0x80)
        return at;
      while (at < end && (guint8) *at >= 0x80)
        at++;
    }
}

static inline gboolean
reeve_json_scanner_is_tail (guint8 byte)
{
  return (byte & 0xc0) == 0x80;
}

/* The bytes of one well-formed character beyond ASCII (Unicode 15, table 3-7), 0 when it is none.
 */
static guint
reeve_json_scanner_utf8 (const char *at, const char *end)
{
  const guint8 *b = (const guint8 *) at;
  gsize left = (gsize) (end - at);

  if (b[0] >= 0xc2 && b[0] <= 0xdf)
    return left >= 2 && reeve_json_scanner_is_tail (b[1]) ? 2 : 0;
  if (b[0] >= 0xe0 && b[0] <= 0xef)
    {
      if (left < 3 || !reeve_json_scanner_is_tail (b[1]) || !reeve_json_scanner_is_tail (b[2]))
        return 0;
      /* neither overlong nor a surrogate */
      return (b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) ? 0 : 3;
    }
  if (b[0] >= 0xf0 && b[0] <= 0xf4)
    {
      if (left < 4 || !reeve_json_scanner_is_tail (b[1]) || !reeve_json_scanner_is_tail (b[2])
          || !reeve_json_scanner_is_tail (b[3]))
        return 0;
      return (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f) ? 0 : 4;
    }
  return 0;
}

/* four hexadecimal digits, or -1 */
static int
reeve_json_scanner_hex4 (const char *at, const char *end)
{
  int value = 0;

  if (end - at < 4)
    return -1;
  for (int i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (at[i]);
      if (digit < 0)
        return -1;
      value = value << 4 | digit;
    }
  return value;
}

/* behind an escape that begins with the backslash at @at */
static const char *
reeve_json_scanner_escape (ReeveJsonScanner *self, const char *at)
{
  if (self->end - at < 2)
    return reeve_json_scanner_fail (self, self->end, "the text ends inside a string");
  if (at[1] != 'u')
    {
      if (at[1] != '"' && (at[1] == '\0' || strchr ("\\/bfnrt", at[1]) == NULL))
        return reeve_json_scanner_fail (self, at, "unknown escape in a string");
      return at + 2;
    }
  int unit = reeve_json_scanner_hex4 (at + 2, self->end);
  if (unit < 0)
    return reeve_json_scanner_fail (self, at, "\\u without four hexadecimal digits");
  if (unit == 0)
    return reeve_json_scanner_fail (self, at, "the character U+0000 in a string");
  if (unit >= 0xdc00 && unit <= 0xdfff)
    return reeve_json_scanner_fail (self, at, "a lone surrogate in a string");
  if (unit < 0xd800 || unit > 0xdbff)
    return at + 6;
  int low = self->end - at >= 12 && at[6] == '\\' && at[7] == 'u'
                ? reeve_json_scanner_hex4 (at + 8, self->end)
                : -1;
  if (low < 0xdc00 || low > 0xdfff)
    return reeve_json_scanner_fail (self, at, "a lone surrogate in a string");
  return at + 12;
}

/* behind the closing quote of the string that begins with the quote at @at */
static const char *
reeve_json_scanner_string (ReeveJsonScanner *self, const char *at, gboolean *escaped)
{
  at++;
  for (;;)
    {
      at = reeve_json_scanner_skip_plain (at, self->end);
      if (at >= self->end)
        return reeve_json_scanner_fail (self, at, "the text ends inside a string");
      if (*at == '"')
        return at + 1;
      if (*at == '\\')
        {
          *escaped = TRUE;
          at = reeve_json_scanner_escape (self, at);
          if (at == NULL)
            return NULL;
          continue;
        }
      if ((guint8) *at < 0x20)
        return reeve_json_scanner_fail (self, at, "a control character in a string");
      /* texts in other scripts are one run of such characters after another */
      while (at < self->end && (guint8) *at >= 0x80)
        {
          guint n_bytes = reeve_json_scanner_utf8 (at, self->end);
          if (n_bytes == 0)
            return reeve_json_scanner_fail (self, at, "not valid UTF-8");
          at += n_bytes;
        }
    }
}

/*
 * reeve_json_scanner_decode:
 * @at: inside a string that was scanned, before @end
 * @end: its closing quote
 * @bytes: (out): UTF-8 of the next character, or one byte of it
 * @n_bytes: (out): how many bytes
 *
 * Returns: where the next one begins
 */
const char *
reeve_json_scanner_decode (const char *at, const char *end, char bytes[4], guint *n_bytes)
{
  static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";

  *n_bytes = 1;
  bytes[0] = *at;
  if (*at != '\\')
    return at + 1;
  if (at[1] != 'u')
    {
      /* of quotes a text within a text is full */
      const char *found = at[1] != '"' ? strchr (from, at[1]) : NULL;
      bytes[0] = found != NULL ? to[found - from] : at[1];
      return at + 2;
    }
  gunichar c = (gunichar) reeve_json_scanner_hex4 (at + 2, end);
  at += 6;
  if (c >= 0xd800 && c <= 0xdbff)
    {
      c = 0x10000 + ((c - 0xd800) << 10)
          + ((gunichar) reeve_json_scanner_hex4 (at + 2, end) - 0xdc00);
      at += 6;
    }
  *n_bytes = (guint) g_unichar_to_utf8 (c, bytes);
  return at;
}

/* ---- names ---- */

/* Order of two names by the bytes they stand for, not by how they are written. */
static int
reeve_json_scanner_compare_decoded (const char *a, const char *a_end, const char *b,
                                    const char *b_end)
{
  char a_bytes[4], b_bytes[4];
  guint a_n = 0, b_n = 0, a_i = 0, b_i = 0;

  for (;;)
    {
      if (a_i == a_n)
        {
          if (a == a_end)
            return b == b_end && b_i == b_n ? 0 : -1;
          a = reeve_json_scanner_decode (a, a_end, a_bytes, &a_n);
          a_i = 0;
        }
      if (b_i == b_n)
        {
          if (b == b_end)
            return 1;
          b = reeve_json_scanner_decode (b, b_end, b_bytes, &b_n);
          b_i = 0;
        }
      if (a_bytes[a_i] != b_bytes[b_i])
        return (guint8) a_bytes[a_i] < (guint8) b_bytes[b_i] ? -1 : 1;
      a_i++;
      b_i++;
    }
}

static int
reeve_json_scanner_compare (gconstpointer a, gconstpointer b)
{
  const ReeveJsonScannerName *x = a, *y = b;

  if (x->escaped || y->escaped)
    return reeve_json_scanner_compare_decoded (x->text, x->text + x->length, y->text,
                                               y->text + y->length);
  int order = memcmp (x->text, y->text, MIN (x->length, y->length));
  return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static const ReeveJsonScannerName *
reeve_json_scanner_later (const ReeveJsonScannerName *a, const ReeveJsonScannerName *b)
{
  return a->text > b->text ? a : b;
}

/* the later of two equal names in the innermost object, or NULL */
static const ReeveJsonScannerName *
reeve_json_scanner_find_duplicate (ReeveJsonScanner *self, const ReeveJsonScannerFrame *frame)
{
  ReeveJsonScannerName *names = self->seen + frame->first_name;
  guint n = self->n_seen - frame->first_name;

  if (n > REEVE_JSON_SCANNER_PAIRWISE)
    {
      qsort (names, n, sizeof *names, reeve_json_scanner_compare);
      for (guint i = 1; i < n; i++)
        if (reeve_json_scanner_compare (&names[i - 1], &names[i]) == 0)
          return reeve_json_scanner_later (&names[i - 1], &names[i]);
      return NULL;
    }
  for (guint i = 1; i < n; i++)
    for (guint j = 0; j < i; j++)
      if ((frame->escaped || names[i].length == names[j].length)
          && reeve_json_scanner_compare (&names[i], &names[j]) == 0)
        return reeve_json_scanner_later (&names[i], &names[j]);
  return NULL;
}

static void
reeve_json_scanner_remember (ReeveJsonScanner *self, const ReeveJsonScannerName *name)
{
  if (self->n_seen == self->seen_size)
    {
      guint size = self->seen_size * 2;
      ReeveJsonScannerName *grown = g_renew (ReeveJsonScannerName, self->heap_seen, size);
      if (self->heap_seen == NULL)
        memcpy (grown, self->few, sizeof self->few);
      self->heap_seen = self->seen = grown;
      self->seen_size = size;
    }
  self->seen[self->n_seen++] = *name;
}

static void
reeve_json_scanner_match (ReeveJsonScanner *self, const ReeveJsonScannerName *name)
{
  for (guint i = 0; self->names[i] != NULL; i++)
    {
      const char *wanted = self->names[i];
      ReeveJsonScannerName other = { wanted, 0, FALSE };
      gboolean same = FALSE;

      /* a name from the caller that holds a backslash is not an escape: compare bytes */
      if (!name->escaped)
        same = strncmp (wanted, name->text, name->length) == 0 && wanted[name->length] == '\0';
      else if (strchr (wanted, '\\') == NULL)
        {
          other.length = (guint32) strlen (wanted);
          same = reeve_json_scanner_compare (name, &other) == 0;
        }
      if (same)
        {
          self->open_slice = &self->slices[i];
          return;
        }
    }
}

static const char *
reeve_json_scanner_member_name (ReeveJsonScanner *self, const char *at)
{
  ReeveJsonScannerFrame *frame = &self->frames[self->depth - 1];
  ReeveJsonScannerName name = { at + 1, 0, FALSE };

  at = reeve_json_scanner_string (self, at, &name.escaped);
  if (at == NULL)
    return NULL;
  name.length = (guint32) (at - 1 - name.text);
  frame->escaped |= name.escaped;
  reeve_json_scanner_remember (self, &name);
  if (self->names != NULL && self->depth == 1)
    reeve_json_scanner_match (self, &name);
  at = reeve_json_scanner_skip_space (at, self->end);
  if (at >= self->end || *at != ':')
    return reeve_json_scanner_fail (self, at, "expected \":\" after the name of a member");
  self->state = REEVE_JSON_SCANNER_VALUE;
  return at + 1;
}

/* ---- numbers ---- */

static inline const char *
reeve_json_scanner_digits (const char *at, const char *end)
{
  while (at < end && g_ascii_isdigit (*at))
    at++;
  return at;
}

static gboolean
reeve_json_scanner_is_finite (const char *start, const char *end)
{
  char copy[REEVE_JSON_SCANNER_NUMBER + 1];
  gsize length = (gsize) (end - start);

  memcpy (copy, start, length);
  copy[length] = '\0';
  return isfinite (g_ascii_strtod (copy, NULL));
}

static const char *
reeve_json_scanner_number (ReeveJsonScanner *self, const char *start)
{
  const char *at = start + (*start == '-');
  const char *whole = at;
  gint64 exponent = 0;

  at = reeve_json_scanner_digits (at, self->end);
  if (at == whole)
    return reeve_json_scanner_fail (self, start, "expected a value");
  if (*whole == '0' && at - whole > 1)
    return reeve_json_scanner_fail (self, start, "a number with a leading zero");
  gint64 magnitude = at - whole;
  if (at < self->end && *at == '.')
    {
      const char *fraction = ++at;
      at = reeve_json_scanner_digits (at, self->end);
      if (at == fraction)
        return reeve_json_scanner_fail (self, at, "expected a digit after the decimal point");
    }
  if (at < self->end && (*at == 'e' || *at == 'E'))
    {
      at++;
      gboolean negative = at < self->end && *at == '-';
      if (at < self->end && (*at == '-' || *at == '+'))
        at++;
      const char *digits = at;
      for (; at < self->end && g_ascii_isdigit (*at); at++)
        exponent = MIN (exponent * 10 + (*at - '0'), 100000);
      if (at == digits)
        return reeve_json_scanner_fail (self, at, "expected a digit in the exponent");
      exponent = negative ? -exponent : exponent;
    }
  if (at - start > REEVE_JSON_SCANNER_NUMBER)
    return reeve_json_scanner_fail (self, start, "a number with too many digits");
  /* below 1e308 whatever the digits are; else let the conversion say */
  if (magnitude + exponent > 308 && !reeve_json_scanner_is_finite (start, at))
    return reeve_json_scanner_fail (self, start, "a number out of range");
  return at;
}

/* ---- structure ---- */

/* a value ended before @at */
static inline const char *
reeve_json_scanner_ended (ReeveJsonScanner *self, const char *at)
{
  self->state = REEVE_JSON_SCANNER_AFTER;
  if (self->open_slice != NULL && self->depth == 1)
    {
      self->open_slice->length = (gsize) (at - self->open_slice->start);
      self->open_slice = NULL;
    }
  return at;
}

static const char *
reeve_json_scanner_literal (ReeveJsonScanner *self, const char *at, const char *word)
{
  gsize length = strlen (word);

  if ((gsize) (self->end - at) < length || memcmp (at, word, length) != 0)
    return reeve_json_scanner_fail (self, at, "expected a value");
  return reeve_json_scanner_ended (self, at + length);
}

static const char *
reeve_json_scanner_open (ReeveJsonScanner *self, const char *at)
{
  if (self->depth == REEVE_JSON_MAX_DEPTH)
    return reeve_json_scanner_fail (self, at, "nested too deeply");
  ReeveJsonScannerFrame *frame = &self->frames[self->depth++];
  frame->is_object = *at == '{';
  frame->escaped = FALSE;
  frame->index = 0;
  frame->first_name = self->n_seen;
  self->state = frame->is_object ? REEVE_JSON_SCANNER_FIRST_NAME : REEVE_JSON_SCANNER_FIRST_VALUE;
  return at + 1;
}

static const char *
reeve_json_scanner_close (ReeveJsonScanner *self, const char *at)
{
  ReeveJsonScannerFrame *frame = &self->frames[self->depth - 1];

  if (frame->is_object && self->n_seen - frame->first_name > 1)
    {
      const ReeveJsonScannerName *duplicate = reeve_json_scanner_find_duplicate (self, frame);
      if (duplicate != NULL)
        {
          /* as the last one it is what the error's pointer names */
          self->seen[self->n_seen - 1] = *duplicate;
          return reeve_json_scanner_fail (self, self->seen[self->n_seen - 1].text - 1,
                                          "a member name twice in one object");
        }
    }
  self->n_seen = frame->first_name;
  self->depth--;
  return reeve_json_scanner_ended (self, at + 1);
}

static const char *
reeve_json_scanner_value (ReeveJsonScanner *self, const char *at)
{
  gboolean escaped = FALSE;

  if (self->open_slice != NULL && self->depth == 1)
    self->open_slice->start = at;
  switch (*at)
    {
    case '{':
    case '[':
      return reeve_json_scanner_open (self, at);
    case '"':
      at = reeve_json_scanner_string (self, at, &escaped);
      break;
    case 't':
      return reeve_json_scanner_literal (self, at, "true");
    case 'f':
      return reeve_json_scanner_literal (self, at, "false");
    case 'n':
      return reeve_json_scanner_literal (self, at, "null");
    default:
      at = reeve_json_scanner_number (self, at);
      break;
    }
  return at == NULL ? NULL : reeve_json_scanner_ended (self, at);
}

static const char *
reeve_json_scanner_after (ReeveJsonScanner *self, const char *at)
{
  if (self->depth == 0)
    return reeve_json_scanner_fail (self, at, "something behind the end of the value");
  ReeveJsonScannerFrame *frame = &self->frames[self->depth - 1];
  if (*at == ',')
    {
      frame->index++;
      self->state = frame->is_object ? REEVE_JSON_SCANNER_NAME : REEVE_JSON_SCANNER_VALUE;
      return at + 1;
    }
  if (*at == (frame->is_object ? '}' : ']'))
    return reeve_json_scanner_close (self, at);
  return reeve_json_scanner_fail (
      self, at, frame->is_object ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"");
}

static const char *
reeve_json_scanner_step (ReeveJsonScanner *self, const char *at)
{
  switch (self->state)
    {
    case REEVE_JSON_SCANNER_FIRST_NAME:
      if (*at == '}')
        return reeve_json_scanner_close (self, at);
      /* fall through */
    case REEVE_JSON_SCANNER_NAME:
      if (*at != '"')
        return reeve_json_scanner_fail (self, at, "expected the name of a member");
      return reeve_json_scanner_member_name (self, at);
    case REEVE_JSON_SCANNER_FIRST_VALUE:
      if (*at == ']')
        return reeve_json_scanner_close (self, at);
      /* fall through */
    case REEVE_JSON_SCANNER_VALUE:
      return reeve_json_scanner_value (self, at);
    case REEVE_JSON_SCANNER_AFTER:
    default:
      return reeve_json_scanner_after (self, at);
    }
}

/* ---- faults ---- */

static void
reeve_json_scanner_append_name (GString *pointer, const ReeveJsonScannerName *name)
{
  const char *at = name->text, *end = name->text + name->length;
  char bytes[4];
  guint n_bytes = 0;

  while (at < end && pointer->len < REEVE_JSON_SCANNER_POINTER)
    {
      at = reeve_json_scanner_decode (at, end, bytes, &n_bytes);
      if (n_bytes == 1 && *bytes == '~')
        g_string_append (pointer, "~0");
      else if (n_bytes == 1 && *bytes == '/')
        g_string_append (pointer, "~1");
      else
        g_string_append_len (pointer, bytes, n_bytes);
    }
}

/* JSON pointer (RFC 6901) of the value that was being read, cut when long */
static char *
reeve_json_scanner_pointer (ReeveJsonScanner *self)
{
  g_autoptr (GString) pointer = g_string_new (NULL);

  for (guint i = 0; i < self->depth && pointer->len < REEVE_JSON_SCANNER_POINTER; i++)
    {
      ReeveJsonScannerFrame *frame = &self->frames[i];
      guint next = i + 1 < self->depth ? self->frames[i + 1].first_name : self->n_seen;
      if (!frame->is_object)
        g_string_append_printf (pointer, "/%u", frame->index);
      else if (next > frame->first_name)
        {
          g_string_append_c (pointer, '/');
          reeve_json_scanner_append_name (pointer, &self->seen[next - 1]);
        }
    }
  return g_utf8_make_valid (pointer->str, (gssize) pointer->len);
}

static void
reeve_json_scanner_report (ReeveJsonScanner *self, GError **error)
{
  guint line = 1, column = 1;

  for (const char *at = self->data; at < self->fault_at; at++)
    {
      if (*at == '\n')
        {
          line++;
          column = 1;
        }
      else if (!reeve_json_scanner_is_tail ((guint8) *at))
        column++;
    }
  g_autofree char *pointer = reeve_json_scanner_pointer (self);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
               "line %u, column %u: %s (in \"%s\")", line, column, self->fault, pointer);
}

/*
 * reeve_json_scanner_run:
 * @data: a text, not terminated
 * @length: its bytes
 * @names: (nullable): top-level members to find, NULL-terminated; the value must then be an object
 * @slices: (nullable): one for each of @names
 * @error: return location
 *
 * Returns: whether all of @data is one strict JSON value
 */
gboolean
reeve_json_scanner_run (const char *data, gsize length, const char *const *names,
                        ReeveJsonSlice *slices, GError **error)
{
  ReeveJsonScanner self;
  const char *at = data != NULL ? data : "";

  if (length > G_MAXINT32)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "the text is too long");
      return FALSE;
    }
  /* frames and few are left as they are: they are written before they are read, and clearing them
   * costs more than scanning a small text */
  self.data = at;
  self.end = at + length;
  self.fault_at = self.fault = NULL;
  self.names = names;
  self.slices = slices;
  self.open_slice = NULL;
  self.state = REEVE_JSON_SCANNER_VALUE;
  self.depth = self.n_seen = 0;
  self.seen = self.few;
  self.heap_seen = NULL;
  self.seen_size = G_N_ELEMENTS (self.few);

  while (at != NULL)
    {
      at = reeve_json_scanner_skip_space (at, self.end);
      if (at == self.end)
        break;
      if (names != NULL && self.depth == 0 && self.state == REEVE_JSON_SCANNER_VALUE && *at != '{')
        at = reeve_json_scanner_fail (&self, at, "expected an object");
      else
        at = reeve_json_scanner_step (&self, at);
    }
  if (at != NULL && (self.depth > 0 || self.state != REEVE_JSON_SCANNER_AFTER))
    at = reeve_json_scanner_fail (&self, at, "the text ends too early");
  if (at == NULL)
    reeve_json_scanner_report (&self, error);
  g_free (self.heap_seen);
  return at != NULL;
}
