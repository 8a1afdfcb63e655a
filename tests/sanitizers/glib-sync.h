/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the preloaded library share: how to say something to ThreadSanitizer, and how
 * to get at GLib's own function of a name. Without the sanitizer's runtime in the process all of
 * it is nothing. */
#pragma once

#include <dlfcn.h>
#include <glib.h>

extern void __tsan_acquire (void *address) __attribute__ ((weak));
extern void __tsan_release (void *address) __attribute__ ((weak));
extern void __tsan_read1 (void *address) __attribute__ ((weak));
extern void __tsan_write1 (void *address) __attribute__ ((weak));
extern void __tsan_write_range (void *address, unsigned long size) __attribute__ ((weak));

/* GLib's own function of that name, looked up once */
#define REAL(name)                                                                                 \
  ({                                                                                               \
    static __typeof__ (&(name)) sync_real;                                                         \
    __typeof__ (&(name)) sync_found = __atomic_load_n (&sync_real, __ATOMIC_RELAXED);              \
    if (sync_found == NULL)                                                                        \
      {                                                                                            \
        sync_found = (__typeof__ (&(name))) dlsym (RTLD_NEXT, #name);                              \
        __atomic_store_n (&sync_real, sync_found, __ATOMIC_RELAXED);                               \
      }                                                                                            \
    sync_found;                                                                                    \
  })

G_ALWAYS_INLINE static inline void
sync_release (gconstpointer address)
{
  if (__tsan_release != NULL && address != NULL)
    __tsan_release ((void *) address);
}

G_ALWAYS_INLINE static inline void
sync_acquire (gconstpointer address)
{
  if (__tsan_acquire != NULL && address != NULL)
    __tsan_acquire ((void *) address);
}

/* The callee reads, or writes, what is at @address. */
G_ALWAYS_INLINE static inline void
sync_read (gconstpointer address)
{
  if (__tsan_read1 != NULL && address != NULL)
    __tsan_read1 ((void *) address);
}

G_ALWAYS_INLINE static inline void
sync_write (gpointer address)
{
  if (__tsan_write1 != NULL && address != NULL)
    __tsan_write1 (address);
}

G_ALWAYS_INLINE static inline void
sync_write_range (gpointer address, gsize size)
{
  if (__tsan_write_range != NULL && address != NULL)
    __tsan_write_range (address, size);
}
