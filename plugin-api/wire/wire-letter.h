/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WireLetter: a message that is to be written, or was read. Any thread; nobody changes it once
 * another has it. */
#pragma once

#include "wire-message.h"
#include "wire-reader.h"
#include "wire-value.h"

#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

#define WIRE_LETTER_MAX (128 * 1024 * 1024) /* bytes of a message, as D-Bus says */

typedef struct
{
  gatomicrefcount references;
  WireMessage head;   /* without signature and body; texts are of @bytes, or of whoever writes it */
  GVariant *body;     /* (nullable): a tuple */
  WireValueCall call; /* of one that wire_letter_read_call() read */
  GUnixFDList *fds;   /* (nullable): that came with it */
  GBytes *bytes;      /* (nullable): that it was read from */
  GByteArray *written; /* (nullable): the body of one that is written, where @body is not */
  char *name;          /* (nullable): of an error that is written; or @written's signature */
} WireLetter;

/* (transfer full) each; texts must live until it is written, and are not copied. @body: (transfer
 * floating or none): a tuple. */
WireLetter *wire_letter_new_call (const char *path, const char *interface, const char *member,
                                  GVariant *body);
/* The same with a body that stands in bytes, which is made with less. @signature: copied */
WireLetter *wire_letter_new_call_of (const char *path, const char *interface, const char *member,
                                     const char *signature, GByteArray *written);
WireLetter *wire_letter_new_reply (guint32 reply_serial, GVariant *body);
/* @name: of an error; copied */
WireLetter *wire_letter_new_error (guint32 reply_serial, const char *name, GVariant *body);
WireLetter *wire_letter_ref (WireLetter *self);
void wire_letter_unref (WireLetter *self);

/* (transfer full): its bytes; it has a serial. Its descriptors go beside them. */
guint8 *wire_letter_write (const WireLetter *self, gsize *length);
/* (transfer full) (nullable): the message that @bytes are, all of them. %REEVE_ERROR_PLUGIN */
WireLetter *wire_letter_read (GBytes *bytes, GError **error);
/* The same on the side of the runner, without its body: of a call it finds what stands in that, of
 * which each value that is made takes longer than to read it where it stands. */
WireLetter *wire_letter_read_call (GBytes *bytes, GError **error);
/* FALSE: its body is not what its signature says. In that of a call the context is empty, whose
 * entries would be three values each; wire_context_read() reads it. */
gboolean wire_letter_read_call_body (WireLetter *self, GError **error);
/* From the beginning of its body. @known: see WireReader */
WireReader wire_letter_get_reader (const WireLetter *self, gboolean known);
/* The same without its body, whose values take many times its bytes: from somebody who is not
 * believed only that is read whose signature is the one that is waited for. */
WireLetter *wire_letter_read_head (GBytes *bytes, GError **error);
/* FALSE: its body is not what its signature says */
gboolean wire_letter_read_body (WireLetter *self, GError **error);
/* The same of one that the rules of the host let through: wire_message_check_body() looked at it.
 */
gboolean wire_letter_read_known_body (WireLetter *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WireLetter, wire_letter_unref)

G_END_DECLS
