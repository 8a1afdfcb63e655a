/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Version and availability macros: every exported symbol carries one of them, everything else is
 * hidden. */
#pragma once

#include <glib-object.h>

/**
 * REEVE_API_MAJOR:
 *
 * Major number of the plugin interface: a plugin loads only where it is equal. Since: 0.1
 */
#define REEVE_API_MAJOR 0
/**
 * REEVE_API_MINOR:
 *
 * Minor number of the plugin interface: a plugin loads where it is at most the host's. Since: 0.1
 */
#define REEVE_API_MINOR 1

#define REEVE_ENCODE_VERSION(major, minor) ((major) << 16 | (minor) << 8)
#define REEVE_VERSION_0_1                  REEVE_ENCODE_VERSION (0, 1)
#define REEVE_VERSION_CUR                  REEVE_ENCODE_VERSION (REEVE_API_MAJOR, REEVE_API_MINOR)

/* A plugin may define this to be compiled against an older interface on purpose. */
#ifndef REEVE_VERSION_MAX_ALLOWED
#define REEVE_VERSION_MAX_ALLOWED REEVE_VERSION_CUR
#endif

#ifndef _REEVE_EXTERN
#define _REEVE_EXTERN __attribute__ ((visibility ("default"))) extern
#endif

#if REEVE_VERSION_MAX_ALLOWED < REEVE_VERSION_0_1
#define REEVE_AVAILABLE_IN_0_1 G_UNAVAILABLE (0, 1) _REEVE_EXTERN
#else
#define REEVE_AVAILABLE_IN_0_1 _REEVE_EXTERN
#endif
