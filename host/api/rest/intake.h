/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestIntake: from the bytes of a connection to one request after the other: holds back what
 * belongs to the next one, and gives nothing on of a head that was not found good. */
#pragma once

#include "framing.h"
#include "head.h"

G_BEGIN_DECLS

typedef struct _ReeveRestIntake ReeveRestIntake;

typedef enum
{
  REEVE_REST_INTAKE_EMPTY,   /* between two requests */
  REEVE_REST_INTAKE_HEAD,    /* a head has begun */
  REEVE_REST_INTAKE_REQUEST, /* a head has come and is good; the body may go on */
  REEVE_REST_INTAKE_BAD      /* status and detail say why */
} ReeveRestIntakeState;

ReeveRestIntake *reeve_rest_intake_new (gsize max_header);
void reeve_rest_intake_free (ReeveRestIntake *self);

/* These bytes came. */
ReeveRestIntakeState reeve_rest_intake_add (ReeveRestIntake *self, const void *data, gsize length);
ReeveRestIntakeState reeve_rest_intake_get_state (ReeveRestIntake *self);
gboolean reeve_rest_intake_has_bytes (ReeveRestIntake *self);
/* Bytes of the request for its reader: 0 when more must come first, or all is taken. */
gsize reeve_rest_intake_take (ReeveRestIntake *self, void *buffer, gsize size);
/* The whole head, for a reader that wants no copy of it, until more is added; only before anything
 * was taken. Then the body alone is left to take. */
const char *reeve_rest_intake_peek_head (ReeveRestIntake *self, gsize *length);
void reeve_rest_intake_skip_head (ReeveRestIntake *self);
/* Does its reader have the whole request? */
gboolean reeve_rest_intake_is_taken (ReeveRestIntake *self);
/* Only then: the next request, of which some may be here. */
ReeveRestIntakeState reeve_rest_intake_next (ReeveRestIntake *self);

/* From REEVE_REST_INTAKE_REQUEST on. */
const ReeveRestHead *reeve_rest_intake_get_head (ReeveRestIntake *self);
/* (transfer full): target as it was sent; only before anything was taken */
char *reeve_rest_intake_dup_target (ReeveRestIntake *self);
guint64 reeve_rest_intake_get_content (ReeveRestIntake *self); /* bytes of the body so far */
guint reeve_rest_intake_get_status (ReeveRestIntake *self);
const char *reeve_rest_intake_get_detail (ReeveRestIntake *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestIntake, reeve_rest_intake_free)

G_END_DECLS
