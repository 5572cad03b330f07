/* SPDX-License-Identifier: MIT */

/*
 * Replaces the allocator of the whole test program, libraries included. FFTW's own allocations
 * never fail here: it ends the program when they do, and nobody can change that from outside.
 */

#define _GNU_SOURCE /* RTLD_NEXT, dladdr */
#include "realtime.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef TRIPWIRE

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static _Thread_local bool realtime;
static _Thread_local int left_to_pass = -1;
static _Thread_local long n_allocated;

static void trip(void)
{
	static const char message[] = "allocation or lock in a realtime function\n";

	if (!realtime)
		return;
	(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
	abort();
}

static bool is_fftw(void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "libfftw3");
}

static bool may_allocate(void *caller)
{
	trip();
	if (left_to_pass < 0 || is_fftw(caller) || left_to_pass-- > 0)
		return true;
	errno = ENOMEM;
	return false;
}

static void *counted(void *memory)
{
	n_allocated += memory != NULL;
	return memory;
}

void *malloc(size_t size)
{
	return may_allocate(__builtin_return_address(0)) ? counted(__libc_malloc(size)) : NULL;
}

void *calloc(size_t n, size_t size)
{
	return may_allocate(__builtin_return_address(0)) ? counted(__libc_calloc(n, size)) : NULL;
}

void *realloc(void *memory, size_t size)
{
	if (!may_allocate(__builtin_return_address(0)))
		return NULL;
	n_allocated += memory == NULL;
	return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
	return may_allocate(__builtin_return_address(0)) ? counted(__libc_memalign(alignment, size))
							 : NULL;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return may_allocate(__builtin_return_address(0)) ? counted(__libc_memalign(alignment, size))
							 : NULL;
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	if (!may_allocate(__builtin_return_address(0)))
		return ENOMEM;
	*memory = counted(__libc_memalign(alignment, size));
	return *memory ? 0 : ENOMEM;
}

void free(void *memory)
{
	trip();
	n_allocated -= memory != NULL;
	__libc_free(memory);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	static int (*lock)(pthread_mutex_t *);

	trip();
	if (!lock)
		*(void **)&lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	return lock(mutex);
}

bool realtime_is_watched(void)
{
	return true;
}

void realtime_begin(void)
{
	realtime = true;
}

void realtime_end(void)
{
	realtime = false;
}

void allocation_fail_after(int n)
{
	left_to_pass = n;
}

long allocation_count(void)
{
	return n_allocated;
}

#else

bool realtime_is_watched(void)
{
	return false;
}

void realtime_begin(void)
{
}

void realtime_end(void)
{
}

void allocation_fail_after(int n)
{
	(void)n;
}

long allocation_count(void)
{
	return 0;
}

#endif
