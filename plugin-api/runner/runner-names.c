/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ring: the number of a name is the end of its address, and says where it lies. Whoever asks for
 * many takes the place of those that were asked for long ago, and no address leads to another name
 * soon. */
#include "runner-names.h"

#include <arpa/inet.h>
#include <string.h>

#define RUNNER_NAMES_MAX_LENGTH 253         /* RFC 1035, as a text */
#define RUNNER_NAMES_BASE       0xc6120001u /* 198.18.0.1 */
/* that there are, as many times the ring as those addresses have room for */
#define RUNNER_NAMES_NUMBERS (127 * RUNNER_NAMES_MAX)

typedef struct
{
  char *name; /* (nullable) */
  guint32 number;
} RunnerNamesEntry;

static const guint8 runner_names_prefix[8] = { 0x01, 0x00 }; /* 100::/64 */

static GMutex runner_names_lock;
static RunnerNamesEntry runner_names[RUNNER_NAMES_MAX]; /* with the lock */
static guint32 runner_names_next;                       /* with the lock */

static guint32
runner_names_number (const char *name)
{
  guint32 number = 0;
  RunnerNamesEntry *entry = NULL;

  g_mutex_lock (&runner_names_lock);
  for (guint i = 0; entry == NULL && i < RUNNER_NAMES_MAX; i++)
    {
      if (g_strcmp0 (runner_names[i].name, name) == 0)
        entry = &runner_names[i];
    }
  if (entry == NULL)
    {
      entry = &runner_names[runner_names_next % RUNNER_NAMES_MAX];
      g_free (entry->name);
      *entry = (RunnerNamesEntry){ g_strdup (name), runner_names_next };
      runner_names_next = (runner_names_next + 1) % RUNNER_NAMES_NUMBERS;
    }
  number = entry->number;
  g_mutex_unlock (&runner_names_lock);
  return number;
}

/* (transfer full) (nullable) */
static char *
runner_names_get (guint32 number)
{
  const RunnerNamesEntry *entry = &runner_names[number % RUNNER_NAMES_MAX];
  char *name = NULL;

  g_mutex_lock (&runner_names_lock);
  if (entry->number == number)
    name = g_strdup (entry->name);
  g_mutex_unlock (&runner_names_lock);
  return name;
}

/* A script is told of names in lines of words: one that has an end of a line would be two
 * questions, the second of them made up by whoever chose the name. */
static gboolean
runner_names_is_one_word (const char *name)
{
  for (; *name != '\0'; name++)
    {
      if (g_ascii_iscntrl (*name) || *name == ' ')
        return FALSE;
    }
  return TRUE;
}

gboolean
runner_names_add (const char *name, int family, char *text, gsize size)
{
  struct in6_addr long_one = { 0 };
  struct in_addr short_one = { 0 };
  guint32 number = 0;

  if (*name == '\0' || strlen (name) > RUNNER_NAMES_MAX_LENGTH || !runner_names_is_one_word (name))
    return FALSE;
  number = runner_names_number (name);
  if (family != AF_INET6)
    {
      short_one.s_addr = htonl (RUNNER_NAMES_BASE + number);
      return inet_ntop (AF_INET, &short_one, text, (socklen_t) size) != NULL;
    }
  memcpy (long_one.s6_addr, runner_names_prefix, sizeof runner_names_prefix);
  number = htonl (number + 1);
  memcpy (long_one.s6_addr + 12, &number, sizeof number);
  return inet_ntop (AF_INET6, &long_one, text, (socklen_t) size) != NULL;
}

static char *
runner_names_find_short (struct in_addr address)
{
  char text[INET_ADDRSTRLEN] = "";
  char *name = runner_names_get (ntohl (address.s_addr) - RUNNER_NAMES_BASE);

  return name != NULL ? name : g_strdup (inet_ntop (AF_INET, &address, text, sizeof text));
}

static char *
runner_names_find_long (const struct in6_addr *address)
{
  static const guint8 none[4] = { 0 };
  char text[INET6_ADDRSTRLEN] = "";
  struct in_addr mapped = { 0 };
  guint32 number = 0;
  char *name = NULL;

  if (IN6_IS_ADDR_V4MAPPED (address))
    {
      memcpy (&mapped, address->s6_addr + 12, sizeof mapped);
      return runner_names_find_short (mapped);
    }
  memcpy (&number, address->s6_addr + 12, sizeof number);
  if (memcmp (address->s6_addr, runner_names_prefix, sizeof runner_names_prefix) == 0
      && memcmp (address->s6_addr + 8, none, sizeof none) == 0)
    name = runner_names_get (ntohl (number) - 1);
  return name != NULL ? name : g_strdup (inet_ntop (AF_INET6, address, text, sizeof text));
}

char *
runner_names_find (const struct sockaddr *address, socklen_t length, guint16 *port)
{
  struct sockaddr_in short_one = { 0 };
  struct sockaddr_in6 long_one = { 0 };

  if (length >= sizeof short_one && address->sa_family == AF_INET)
    {
      memcpy (&short_one, address, sizeof short_one);
      *port = ntohs (short_one.sin_port);
      return runner_names_find_short (short_one.sin_addr);
    }
  if (length >= sizeof long_one && address->sa_family == AF_INET6)
    {
      memcpy (&long_one, address, sizeof long_one);
      *port = ntohs (long_one.sin6_port);
      return runner_names_find_long (&long_one.sin6_addr);
    }
  return NULL;
}
