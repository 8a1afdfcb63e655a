/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods of the wire by name, as its XML says them, and what both sides hold a message
 * against. */
#pragma once

#include <reeve-plugin-1.h>

#include "wire-interfaces.h"
#include "wire-letter.h"

G_BEGIN_DECLS

#define WIRE_METHOD_PATH     "/io/reeve/Plugin1" /* of Runner and Broker; instances lie below */
#define WIRE_METHOD_PREFIX   "io.reeve.Plugin1."
#define WIRE_METHOD_MAX_BODY (1000 * 1024) /* of a message: 1 MiB, less what stands before it */
/* What a tool answers in place of data that Broker.Call answered last within its call; of that text
 * the bytes have to be less than these, or the host does not keep it. */
#define WIRE_METHOD_TOLD     "="
#define WIRE_METHOD_MAX_TOLD (128 * 1024)

/* (transfer none) (nullable) */
const GDBusMethodInfo *wire_method_find (const char *interface, const char *member);
/* Is the signature of @message, which was read, what @arguments say? Of its body nothing needs to
 * be read for that. */
gboolean wire_method_fits (GDBusArgInfo *const *arguments, const WireLetter *message);
/* The descriptor that argument number @index of @message stands for, a copy; -1: there is none. */
int wire_method_take_fd (WireLetter *message, guint index);

G_END_DECLS
