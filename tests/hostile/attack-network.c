/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every family of sockets, each with somebody who listens at the other end where there can be. */
#include "attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int
attack_network_connect (int fd, const void *address, gsize length)
{
  int code = attack_result (fd);

  if (fd < 0)
    return code;
  code = attack_result (connect (fd, address, (socklen_t) length));
  close (fd);
  return code;
}

static struct sockaddr_in
attack_network_local (const AttackWorld *world)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons ((guint16) world->port),
                                 .sin_addr = { htonl (INADDR_LOOPBACK) } };

  return address;
}

static int
attack_network_tcp4 (const AttackWorld *world)
{
  struct sockaddr_in address = attack_network_local (world);

  return attack_network_connect (socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &address,
                                 sizeof address);
}

static int
attack_network_tcp6 (const AttackWorld *world)
{
  struct sockaddr_in6 address = { .sin6_family = AF_INET6,
                                  .sin6_port = htons ((guint16) world->port),
                                  .sin6_addr = IN6ADDR_LOOPBACK_INIT };

  return attack_network_connect (socket (AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), &address,
                                 sizeof address);
}

static int
attack_network_send (int fd, const struct sockaddr_in *address, int flags)
{
  int code = attack_result (fd);

  if (fd < 0)
    return code;
  code = attack_result (sendto (fd, "x", 1, flags | MSG_NOSIGNAL, (const struct sockaddr *) address,
                                sizeof *address));
  close (fd);
  return code;
}

static int
attack_network_udp (const AttackWorld *world)
{
  struct sockaddr_in address = attack_network_local (world);

  return attack_network_send (socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), &address, 0);
}

static int
attack_network_fast_open (const AttackWorld *world)
{
  struct sockaddr_in address = attack_network_local (world);

  return attack_network_send (socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &address,
                              MSG_FASTOPEN);
}

static int
attack_network_mptcp (const AttackWorld *world)
{
  struct sockaddr_in address = attack_network_local (world);

  return attack_network_connect (socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP),
                                 &address, sizeof address);
}

static int
attack_network_names (const AttackWorld *world)
{
  struct addrinfo *found = NULL;
  int code = getaddrinfo ("localhost", "80", NULL, &found);

  if (code == 0)
    freeaddrinfo (found);
  return code;
}

static int
attack_network_listen (const AttackWorld *world)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl (INADDR_LOOPBACK) } };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int code = attack_result (fd);

  if (fd < 0)
    return code;
  code = attack_result (
      bind (fd, (struct sockaddr *) &address, sizeof address) == 0 ? listen (fd, 1) : -1);
  close (fd);
  return code;
}

static int
attack_network_unix (const char *name, gboolean abstract)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  gsize length = strlen (name);

  if (length + 1 >= sizeof address.sun_path)
    return ENAMETOOLONG;
  memcpy (address.sun_path + (abstract ? 1 : 0), name, length);
  return attack_network_connect (socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &address,
                                 offsetof (struct sockaddr_un, sun_path) + 1 + length);
}

static int
attack_network_abstract (const AttackWorld *world)
{
  return attack_network_unix (world->name, TRUE);
}

static int
attack_network_pathname (const AttackWorld *world)
{
  return attack_network_unix (world->socket, FALSE);
}

static int
attack_network_pair (const AttackWorld *world)
{
  int ends[2] = { -1, -1 };
  int code = attack_result (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));

  if (code == 0)
    {
      close (ends[0]);
      close (ends[1]);
    }
  return code;
}

static int
attack_network_netlink (const AttackWorld *world)
{
  return attack_fd (socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int
attack_network_vsock (const AttackWorld *world)
{
  return attack_fd (socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
attack_network_packet (const AttackWorld *world)
{
  return attack_fd (socket (AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int
attack_network_raw (const AttackWorld *world)
{
  return attack_fd (socket (AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static int
attack_network_crypto (const AttackWorld *world)
{
  return attack_fd (socket (AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

const Attack attack_network[] = {
  { "tcp4", attack_network_tcp4 },         { "tcp6", attack_network_tcp6 },
  { "udp", attack_network_udp },           { "fast-open", attack_network_fast_open },
  { "mptcp", attack_network_mptcp },       { "names", attack_network_names },
  { "listen", attack_network_listen },     { "abstract", attack_network_abstract },
  { "pathname", attack_network_pathname }, { "pair", attack_network_pair },
  { "netlink", attack_network_netlink },   { "vsock", attack_network_vsock },
  { "packet", attack_network_packet },     { "raw", attack_network_raw },
  { "crypto", attack_network_crypto },     { NULL, NULL },
};
