/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The value of a claim, as it stands in a text that was scanned. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* a claim that is longer is none */
#define JWT_CLAIM_MAX_TEXT 255

typedef char JwtClaimText[JWT_CLAIM_MAX_TEXT + 1];

/* a value as it was scanned; (nullable): there is none */
gboolean jwt_claim_is_array (const ReeveJsonSlice *value);
/* a text of 1 to 255 bytes */
gboolean jwt_claim_read_text (const ReeveJsonSlice *value, JwtClaimText text);
gboolean jwt_claim_read_number (const ReeveJsonSlice *value, double *number);
/* (transfer full) (nullable): a text of any length */
char *jwt_claim_dup_text (const ReeveJsonSlice *value);
gboolean jwt_claim_is_text (const ReeveJsonSlice *value, const char *text);
/* (transfer full) (nullable) */
JsonNode *jwt_claim_make_node (const ReeveJsonSlice *value);
/* the elements of an array in turn: *element empty at first; one that is a container is cut short
 */
gboolean jwt_claim_next (const ReeveJsonSlice *array, ReeveJsonSlice *element);

G_END_DECLS
