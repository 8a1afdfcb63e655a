/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetHttpJob: one HTTP request of a plugin, which waits for its answer. */
#pragma once

#include "http-thread.h"
#include "upstream.h"

G_BEGIN_DECLS

ReeveHttpResponse *reeve_net_http_job_run (ReeveHttpThread *thread, ReeveHttpRequest *request,
                                           const ReeveUpstreamOptions *options,
                                           GCancellable *cancellable, guint64 *received,
                                           GError **error);

G_END_DECLS
