/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan as a GVariant, and how messages go: bounded, and checked for their form by whoever
 * receives one. */
#include "runner-plan.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* who reads, the main one, and what GLib makes for itself */
#define RUNNER_PLAN_OTHER_THREADS 6
#define RUNNER_PLAN_MAX_WORKERS   16

guint
runner_plan_get_n_workers (guint32 processes)
{
  guint threads = processes > RUNNER_PLAN_OTHER_THREADS ? processes - RUNNER_PLAN_OTHER_THREADS : 1;

  return MIN (threads, RUNNER_PLAN_MAX_WORKERS);
}

GVariant *
runner_plan_to_variant (const RunnerPlan *self)
{
  static const char *const none[] = { NULL };

  return g_variant_ref_sink (g_variant_new (
      "(uubutuuttsbb^ass^as)", (guint32) self->profile, (guint32) self->required, self->probe,
      self->uid, self->memory, self->processes, self->files, self->file_size, self->scratch,
      self->folder != NULL ? self->folder : "", self->jit, self->tcp,
      self->folders != NULL ? (const char *const *) self->folders : none,
      self->interpreter != NULL ? self->interpreter : "",
      self->imports != NULL ? (const char *const *) self->imports : none));
}

gboolean
runner_plan_from_variant (RunnerPlan *self, GVariant *variant)
{
  guint32 profile = 0;
  guint32 required = 0;

  if (!g_variant_is_of_type (variant, RUNNER_PLAN_TYPE))
    return FALSE;
  g_variant_get (variant, "(uubutuuttsbb^ass^as)", &profile, &required, &self->probe, &self->uid,
                 &self->memory, &self->processes, &self->files, &self->file_size, &self->scratch,
                 &self->folder, &self->jit, &self->tcp, &self->folders, &self->interpreter,
                 &self->imports);
  if (self->folder[0] == '\0')
    g_clear_pointer (&self->folder, g_free);
  if (self->interpreter[0] == '\0')
    g_clear_pointer (&self->interpreter, g_free);
  self->profile = (RunnerLayersProfile) profile;
  self->required = (RunnerLayers) required;
  if (profile <= RUNNER_LAYERS_PROFILE_HARDENED)
    return TRUE;
  runner_plan_clear (self);
  return FALSE;
}

void
runner_plan_clear (RunnerPlan *self)
{
  g_clear_pointer (&self->folders, g_strfreev);
  g_clear_pointer (&self->folder, g_free);
  g_clear_pointer (&self->interpreter, g_free);
  g_clear_pointer (&self->imports, g_strfreev);
}

gboolean
runner_plan_send_with (int fd, GVariant *message, int passed)
{
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  struct iovec part = { .iov_base = (void *) g_variant_get_data (message),
                        .iov_len = g_variant_get_size (message) };
  struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
  gssize sent = 0;

  if (part.iov_len > RUNNER_PLAN_MAX_MESSAGE)
    {
      errno = EMSGSIZE;
      return FALSE;
    }
  if (passed >= 0)
    {
      control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN (sizeof passed),
                                        .cmsg_level = SOL_SOCKET,
                                        .cmsg_type = SCM_RIGHTS };
      memcpy (CMSG_DATA (&control.align), &passed, sizeof passed);
      header.msg_control = control.bytes;
      header.msg_controllen = sizeof control.bytes;
    }
  do
    sent = sendmsg (fd, &header, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == (gssize) part.iov_len;
}

gboolean
runner_plan_send (int fd, GVariant *message)
{
  return runner_plan_send_with (fd, message, -1);
}

GVariant *
runner_plan_receive (int fd, const GVariantType *type)
{
  g_autofree guint8 *data = g_malloc (RUNNER_PLAN_MAX_MESSAGE + 1);
  g_autoptr (GVariant) message = NULL;
  gssize length = 0;

  do
    length = recv (fd, data, RUNNER_PLAN_MAX_MESSAGE + 1, 0);
  while (length < 0 && errno == EINTR);
  if (length <= 0)
    {
      errno = length == 0 ? ENOTCONN : errno;
      return NULL;
    }
  if (length <= RUNNER_PLAN_MAX_MESSAGE)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (data, (gsize) length);
      message = g_variant_ref_sink (g_variant_new_from_bytes (type, bytes, FALSE));
    }
  if (message != NULL && g_variant_is_normal_form (message))
    return g_steal_pointer (&message);
  errno = EPROTO;
  return NULL;
}
