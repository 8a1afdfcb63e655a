/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A socket that is not connected as yet is one end of a pipe whose other end is closed: something
 * with a number and flags. Connecting puts the end of the host's relay in its place. What was put
 * under a number is known again by its inode: a number that was closed meanwhile is another's.
 *
 * Known names of the C library by which modules find these functions are given by asm labels: no
 * header's prototypes are met. */
#include "runner-connect.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner-ask.h"
#include "runner-names.h"

/* as many as a runner has descriptors, and more than it is ever given */
#define RUNNER_CONNECT_FDS     1024
#define RUNNER_CONNECT_OPTIONS 4

/* An option that was set before there was a socket. */
typedef struct
{
  int name; /* 0: none */
  socklen_t length;
  guint8 value[sizeof (struct timeval)];
} RunnerConnectOption;

/* What stands under a number. */
typedef struct
{
  ino_t inode; /* 0: nothing of ours */
  dev_t device;
  gboolean connected;
  int family;
  struct sockaddr_storage peer;
  RunnerConnectOption options[RUNNER_CONNECT_OPTIONS];
} RunnerConnectSlot;

typedef int (*RunnerConnectLookup) (const char *node, const char *service,
                                    const struct addrinfo *hints, struct addrinfo **found);

int runner_connect_socket (int domain, int type, int protocol) __asm__("socket");
int runner_connect_connect (int fd, const struct sockaddr *address,
                            socklen_t length) __asm__("connect");
int runner_connect_getpeername (int fd, struct sockaddr *address,
                                socklen_t *length) __asm__("getpeername");
int runner_connect_getsockname (int fd, struct sockaddr *address,
                                socklen_t *length) __asm__("getsockname");
int runner_connect_setsockopt (int fd, int level, int name, const void *value,
                               socklen_t length) __asm__("setsockopt");
int runner_connect_getsockopt (int fd, int level, int name, void *value,
                               socklen_t *length) __asm__("getsockopt");
int runner_connect_getaddrinfo (const char *node, const char *service, const struct addrinfo *hints,
                                struct addrinfo **found) __asm__("getaddrinfo");

static gboolean runner_connect_on; /* written before there is a thread */
static GMutex runner_connect_lock;
static RunnerConnectSlot runner_connect_slots[RUNNER_CONNECT_FDS]; /* with the lock */

void
runner_connect_begin (void)
{
  runner_connect_on = TRUE;
}

/* ---- what stands under a number ---- */

/* What @fd is now; nothing, where it is not open. */
static void
runner_connect_mark (RunnerConnectSlot *slot, int fd)
{
  struct stat seen = { 0 };

  if (fstat (fd, &seen) != 0)
    seen = (struct stat){ 0 };
  slot->inode = seen.st_ino;
  slot->device = seen.st_dev;
}

/* (out) @slot: a copy. FALSE: @fd is not ours. */
static gboolean
runner_connect_get (int fd, RunnerConnectSlot *slot)
{
  RunnerConnectSlot now = { 0 };
  int before = errno;

  if (!runner_connect_on || fd < 0 || fd >= RUNNER_CONNECT_FDS)
    return FALSE;
  g_mutex_lock (&runner_connect_lock);
  *slot = runner_connect_slots[fd];
  g_mutex_unlock (&runner_connect_lock);
  if (slot->inode == 0)
    return FALSE;
  runner_connect_mark (&now, fd);
  errno = before;
  return now.inode == slot->inode && now.device == slot->device;
}

static void
runner_connect_put (int fd, const RunnerConnectSlot *slot)
{
  g_mutex_lock (&runner_connect_lock);
  runner_connect_slots[fd] = *slot;
  g_mutex_unlock (&runner_connect_lock);
}

/* What getpeername() and getsockname() give: as much as there is room for. */
static int
runner_connect_give (const void *address, socklen_t size, struct sockaddr *to, socklen_t *length)
{
  memcpy (to, address, MIN (size, *length));
  *length = size;
  return 0;
}

static socklen_t
runner_connect_size (int family)
{
  return family == AF_INET6 ? sizeof (struct sockaddr_in6) : sizeof (struct sockaddr_in);
}

/* ---- making one ---- */

int
runner_connect_socket (int domain, int type, int protocol)
{
  const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  RunnerConnectSlot slot = { .family = domain };
  int ends[2] = { -1, -1 };

  if (!runner_connect_on || (domain != AF_INET && domain != AF_INET6)
      || (type & ~flags) != SOCK_STREAM || (protocol != 0 && protocol != IPPROTO_TCP))
    return (int) syscall (SYS_socket, domain, type, protocol);
  if (pipe2 (ends, ((type & SOCK_CLOEXEC) != 0 ? O_CLOEXEC : 0)
                       | ((type & SOCK_NONBLOCK) != 0 ? O_NONBLOCK : 0))
      != 0)
    return -1;
  close (ends[0]);
  runner_connect_mark (&slot, ends[1]);
  if (ends[1] < RUNNER_CONNECT_FDS && slot.inode != 0)
    {
      runner_connect_put (ends[1], &slot);
      return ends[1];
    }
  close (ends[1]);
  errno = EMFILE;
  return -1;
}

/* The plugin's end of a relay, or -1 with errno set. */
static int
runner_connect_ask (const struct sockaddr *address, socklen_t length)
{
  guint16 port = 0;
  g_autofree char *host = runner_names_find (address, length, &port);

  if (host != NULL)
    return runner_ask_tcp (host, port);
  errno = EAFNOSUPPORT;
  return -1;
}

/* Puts @far, which it takes over, in @fd's place, with the flags and the options that @fd had. */
static int
runner_connect_replace (int fd, int far, RunnerConnectSlot *slot)
{
  int status = fcntl (fd, F_GETFL);
  int flags = fcntl (fd, F_GETFD);
  int code = 0;

  if (status < 0 || flags < 0
      || fcntl (far, F_SETFL, (fcntl (far, F_GETFL) & ~O_NONBLOCK) | (status & O_NONBLOCK)) != 0
      || dup3 (far, fd, (flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0) < 0)
    code = errno;
  close (far);
  for (guint i = 0; code == 0 && i < RUNNER_CONNECT_OPTIONS && slot->options[i].name != 0; i++)
    syscall (SYS_setsockopt, fd, SOL_SOCKET, slot->options[i].name, slot->options[i].value,
             slot->options[i].length);
  runner_connect_mark (slot, fd);
  slot->connected = TRUE;
  if (code == 0)
    runner_connect_put (fd, slot);
  errno = code;
  return code == 0 ? 0 : -1;
}

int
runner_connect_connect (int fd, const struct sockaddr *address, socklen_t length)
{
  RunnerConnectSlot slot = { 0 };
  int before = errno;
  int far = -1;

  if (!runner_connect_get (fd, &slot))
    return (int) syscall (SYS_connect, fd, address, length);
  if (slot.connected)
    {
      errno = EISCONN;
      return -1;
    }
  if (length < sizeof address->sa_family || address->sa_family != slot.family
      || length < runner_connect_size (slot.family))
    {
      errno = EAFNOSUPPORT;
      return -1;
    }
  far = runner_connect_ask (address, length);
  if (far < 0)
    return -1;
  memcpy (&slot.peer, address, runner_connect_size (slot.family));
  if (runner_connect_replace (fd, far, &slot) != 0)
    return -1;
  errno = before;
  return 0;
}

/* ---- what libraries ask and say of one ---- */

int
runner_connect_getpeername (int fd, struct sockaddr *address, socklen_t *length)
{
  RunnerConnectSlot slot = { 0 };

  if (!runner_connect_get (fd, &slot))
    return (int) syscall (SYS_getpeername, fd, address, length);
  if (slot.connected)
    return runner_connect_give (&slot.peer, runner_connect_size (slot.family), address, length);
  errno = ENOTCONN;
  return -1;
}

/* The host's own address is nobody's business: it is any. */
int
runner_connect_getsockname (int fd, struct sockaddr *address, socklen_t *length)
{
  RunnerConnectSlot slot = { 0 };
  struct sockaddr_storage any = { 0 };

  if (!runner_connect_get (fd, &slot))
    return (int) syscall (SYS_getsockname, fd, address, length);
  any.ss_family = (sa_family_t) slot.family;
  return runner_connect_give (&any, runner_connect_size (slot.family), address, length);
}

/* Times to wait are kept for when there is a socket; what is of TCP and IP is the host's, and what
 * a socket's buffers are nobody can tell as yet. */
static void
runner_connect_keep (int fd, RunnerConnectSlot *slot, int name, const void *value, socklen_t length)
{
  guint i = 0;

  if ((name != SO_RCVTIMEO && name != SO_SNDTIMEO) || length > sizeof slot->options[0].value)
    return;
  while (i < RUNNER_CONNECT_OPTIONS - 1 && slot->options[i].name != 0
         && slot->options[i].name != name)
    i++;
  slot->options[i].name = name;
  slot->options[i].length = length;
  memcpy (slot->options[i].value, value, length);
  runner_connect_put (fd, slot);
}

int
runner_connect_setsockopt (int fd, int level, int name, const void *value, socklen_t length)
{
  RunnerConnectSlot slot = { 0 };

  if (!runner_connect_get (fd, &slot) || (slot.connected && level == SOL_SOCKET))
    return (int) syscall (SYS_setsockopt, fd, level, name, value, length);
  if (level == SOL_SOCKET)
    runner_connect_keep (fd, &slot, name, value, length);
  return 0;
}

/* A number: as much of it as there is room for. */
static int
runner_connect_give_number (int number, void *value, socklen_t *length)
{
  *length = MIN (*length, (socklen_t) sizeof number);
  memcpy (value, &number, *length);
  return 0;
}

int
runner_connect_getsockopt (int fd, int level, int name, void *value, socklen_t *length)
{
  RunnerConnectSlot slot = { 0 };

  if (!runner_connect_get (fd, &slot))
    return (int) syscall (SYS_getsockopt, fd, level, name, value, length);
  if (level == SOL_SOCKET && name == SO_DOMAIN)
    return runner_connect_give_number (slot.family, value, length);
  if (level == SOL_SOCKET && name == SO_PROTOCOL)
    return runner_connect_give_number (IPPROTO_TCP, value, length);
  if (level == SOL_SOCKET && name == SO_TYPE)
    return runner_connect_give_number (SOCK_STREAM, value, length);
  if (level == SOL_SOCKET && slot.connected)
    return (int) syscall (SYS_getsockopt, fd, level, name, value, length);
  /* what nobody set, and whatever the host's own socket has */
  if (level == SOL_SOCKET || (level == IPPROTO_TCP && name == TCP_NODELAY))
    return runner_connect_give_number (0, value, length);
  errno = ENOPROTOOPT;
  return -1;
}

/* ---- names ---- */

static gboolean
runner_connect_is_number (const char *node)
{
  struct in6_addr long_one = { 0 };
  g_autofree char *plain = g_strndup (node, strcspn (node, "%"));

  return inet_aton (node, &(struct in_addr){ 0 }) != 0
         || inet_pton (AF_INET6, plain, &long_one) == 1;
}

/* The C library's own. */
static int
runner_connect_look_up (const char *node, const char *service, const struct addrinfo *hints,
                        struct addrinfo **found)
{
  void *symbol = dlsym (RTLD_NEXT, "getaddrinfo");
  RunnerConnectLookup look_up = NULL;

  memcpy (&look_up, &symbol, sizeof symbol);
  return look_up != NULL ? look_up (node, service, hints, found) : EAI_FAIL;
}

int
runner_connect_getaddrinfo (const char *node, const char *service, const struct addrinfo *hints,
                            struct addrinfo **found)
{
  char text[INET6_ADDRSTRLEN] = "";
  struct addrinfo plain = { 0 };
  int code = 0;

  if (!runner_connect_on || node == NULL || runner_connect_is_number (node)
      || (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0))
    return runner_connect_look_up (node, service, hints, found);
  if (hints != NULL)
    plain = (struct addrinfo){ .ai_flags = hints->ai_flags & ~AI_ADDRCONFIG,
                               .ai_family = hints->ai_family,
                               .ai_socktype = hints->ai_socktype,
                               .ai_protocol = hints->ai_protocol };
  plain.ai_flags |= AI_NUMERICHOST;
  if (!runner_names_add (node, plain.ai_family, text, sizeof text))
    return EAI_NONAME;
  code = runner_connect_look_up (text, service, &plain, found);
  /* what the C library frees it has to have made */
  if (code == 0 && (*found)->ai_canonname != NULL)
    {
      free ((*found)->ai_canonname);
      (*found)->ai_canonname = strdup (node);
    }
  return code;
}
