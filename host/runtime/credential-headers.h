/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCredentialHeaders: what secrets put into a request. Of one thread. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct _ReeveCredentialHeaders ReeveCredentialHeaders;

ReeveCredentialHeaders *reeve_credential_headers_new (void);
void reeve_credential_headers_free (ReeveCredentialHeaders *self);
/* A header. %REEVE_ERROR_CONFIGURATION */
gboolean reeve_credential_headers_set (ReeveCredentialHeaders *self, const char *name,
                                       const char *prefix, const char *value, GError **error);
/* A header that holds @value, which must not come back. %REEVE_ERROR_CONFIGURATION */
gboolean reeve_credential_headers_add (ReeveCredentialHeaders *self, const char *name,
                                       const char *prefix, const char *value, GError **error);
/* @text must not come back either. */
void reeve_credential_headers_hide (ReeveCredentialHeaders *self, const char *text);
/* (transfer full) @request with the headers, without slots */
ReeveHttpRequest *reeve_credential_headers_attach (ReeveCredentialHeaders *self,
                                                   ReeveHttpRequest *request);
/* (transfer full) (transfer full) @response in which what must not come back is stars */
ReeveHttpResponse *reeve_credential_headers_conceal (ReeveCredentialHeaders *self,
                                                     ReeveHttpResponse *response);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCredentialHeaders, reeve_credential_headers_free)

G_END_DECLS
