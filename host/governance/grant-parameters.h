/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a grant says of its capability: checked when it is given, terms when it is used. */
#pragma once

#include "grant-catalogue.h"
#include "loader/capability-terms.h"

#include <reeve-json.h>

G_BEGIN_DECLS

/* (transfer full) (nullable) scheme://host:port in lower case; no path, user or question */
char *reeve_grant_parameters_normalise_origin (const char *text);
/* (transfer full) a copy in which origins, methods and hosts are written one way;
 * %REEVE_ERROR_INVALID_ARGUMENT says where below /parameters */
JsonObject *reeve_grant_parameters_check (const ReeveGrantCatalogueRow *row, JsonObject *given,
                                          GError **error);
/* (transfer full); (nullable) @grant_id and @parameters, which were checked */
ReeveCapabilityTerms *reeve_grant_parameters_to_terms (const char *grant_id, JsonObject *parameters,
                                                       gint64 until);

G_END_DECLS
