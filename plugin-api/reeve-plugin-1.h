/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one header a plugin includes. */
#pragma once

#include "reeve-version.h"
#include "reeve-error.h"
#include "reeve-base64url.h"
#include "reeve-json.h"
#include "reeve-http.h"
#include "reeve-context.h"
#include "reeve-plugin.h"
#include "reeve-llm.h"
#include "reeve-tool.h"
#include "reeve-extractor.h"
#include "reeve-auth.h"
#include "reeve-sink.h"
#include "reeve-storage-keys.h"
#include "reeve-storage.h"
