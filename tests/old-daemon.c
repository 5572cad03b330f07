/* SPDX-License-Identifier: MIT */
/* Preloaded by a daemon, which then tells its clients this version. */
#include <stdlib.h>

__attribute__((visibility("default"))) const char *pw_get_library_version(void);

const char *pw_get_library_version(void)
{
	return getenv("WEIR_DAEMON_VERSION");
}
