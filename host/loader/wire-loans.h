/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireLoans: the memory that the host has handed to one runner (wire-blob.h) and that it still
 * has, open or mapped. Any thread. */
#pragma once

#include <reeve-plugin-1.h>

#include "wire-allowance.h"

G_BEGIN_DECLS

/* how many a runner may keep: of each the host has a descriptor too */
#define REEVE_WIRE_LOANS_MOST 512
/* bytes, where nothing else is said */
#define REEVE_WIRE_LOANS_BYTES (G_GUINT64_CONSTANT (4) << 30)

typedef struct _ReeveWireLoans ReeveWireLoans;
typedef struct _ReeveWireLoan ReeveWireLoan;

/* @bytes: that may be kept; 0: the usual. @all: what all runners may keep together */
ReeveWireLoans *reeve_wire_loans_new (guint64 bytes,
                                      ReeveWireAllowance *all) G_GNUC_WARN_UNUSED_RESULT;
void reeve_wire_loans_free (ReeveWireLoans *self);
/* May there be more? Not counted is what reeve_wire_loans_add() was not told of.
 * %REEVE_ERROR_TOO_LARGE: what is kept */
gboolean reeve_wire_loans_check (ReeveWireLoans *self, GError **error);
/* Lets go what is kept no more. */
void reeve_wire_loans_sweep (ReeveWireLoans *self);
/* From here on what @loan is of counts, if the runner has it. @loan: (transfer full) */
void reeve_wire_loans_add (ReeveWireLoans *self, ReeveWireLoan *loan);

/* (transfer full) (nullable): a copy of @bytes for a runner */
ReeveWireLoan *reeve_wire_loan_new (GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void reeve_wire_loan_free (ReeveWireLoan *loan);
/* A descriptor to be sent; -1 where it was closed or taken. */
int reeve_wire_loan_get_fd (ReeveWireLoan *loan);
/* The same, and it is the caller's. */
int reeve_wire_loan_take_fd (ReeveWireLoan *loan);
/* It was sent, or is not. */
void reeve_wire_loan_close (ReeveWireLoan *loan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWireLoans, reeve_wire_loans_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWireLoan, reeve_wire_loan_free)

G_END_DECLS
