/* SPDX-License-Identifier: MIT */
#include "gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/cli/message.h"
#include "tools/cli/replacement.h"

#define NO_PROGRAM 127 /* status of a shell that does not find it */

struct picture {
	char *bytes;
	size_t size;
};

static void die_without_gnuplot(int status)
{
	if (status == -1)
		die("cannot run gnuplot: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_PROGRAM)
		die("gnuplot, which draws the picture, is not installed. Debian and Ubuntu: sudo "
		    "apt install gnuplot-nox");
	if (status != 0)
		die("gnuplot failed to draw the picture");
}

FILE *gnuplot_begin(void)
{
	const int fd = memfd_create("gnuplot", 0);
	FILE *script;

	die_without_gnuplot(system("command -v gnuplot >/dev/null || exit 127"));
	script = fd < 0 ? NULL : fdopen(fd, "w");
	if (!script)
		die("%s", strerror(errno));
	return script;
}

/* Into memory: gnuplot does not report that a disk is full. */
static void picture_read(struct picture *picture, FILE *script)
{
	FILE *memory = open_memstream(&picture->bytes, &picture->size);
	char command[64], part[4096];
	bool complete;
	FILE *gnuplot;
	size_t n;

	if (!memory || ferror(script) || fflush(script) != 0)
		die("%s", strerror(errno));
	snprintf(command, sizeof(command), "gnuplot </proc/self/fd/%d", fileno(script));
	gnuplot = popen(command, "r");
	if (!gnuplot)
		die_without_gnuplot(-1);
	while ((n = fread(part, 1, sizeof(part), gnuplot)) > 0)
		fwrite(part, 1, n, memory);
	complete = !ferror(gnuplot) && !ferror(memory);
	die_without_gnuplot(pclose(gnuplot));
	if (fclose(memory) != 0 || !complete)
		die("%s", strerror(errno));
	if (!picture->size)
		die("gnuplot returned an empty picture");
}

/* Returns 0 or -errno, and closes it. */
static int picture_write(const struct picture *picture, int fd)
{
	int result = 0;

	for (size_t done = 0; done < picture->size && result == 0;) {
		const ssize_t n = write(fd, picture->bytes + done, picture->size - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			result = -errno;
	}
	/* A device or a pipe has nothing to wait for. */
	if (result == 0 && fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
		result = -errno;
	if (close(fd) != 0 && result == 0)
		result = -errno;
	return result;
}

void gnuplot_draw(FILE *script, const char *path)
{
	struct replacement replacement;
	struct picture picture = { 0 };
	int fd, res;

	picture_read(&picture, script);
	fclose(script);
	signal(SIGPIPE, SIG_IGN);
	res = replacement_begin(&replacement, path);
	if (res == 0) {
		fd = open(replacement.writing, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		res = fd < 0 ? -errno : picture_write(&picture, fd);
	}
	if (res == 0)
		res = replacement_finish(&replacement);
	if (res < 0)
		die("cannot write %s: %s", path, strerror(-res));
	free(picture.bytes);
}
