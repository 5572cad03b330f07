/* SPDX-License-Identifier: MIT */

/*
 * Prints what `weir watch` sends as OSC.
 *
 * usage: receive-osc PORT        then: weir watch weir.pitch --osc PORT
 */

#include <lo/lo.h>
#include <stdio.h>

static void on_error(int number, const char *message, const char *where)
{
	fprintf(stderr, "receive-osc: %s (%d) %s\n", message, number, where ? where : "");
}

static int on_message(const char *path, const char *types, lo_arg **value, int n,
		      lo_message message, void *data)
{
	(void)message;
	(void)data;
	printf("%s", path);
	for (int i = 0; i < n; i++)
		printf(" %g", types[i] == 'f' ? (double)value[i]->f : (double)value[i]->h);
	putchar('\n');
	fflush(stdout);
	return 0;
}

int main(int argc, char *argv[])
{
	lo_server server = argc == 2 ? lo_server_new(argv[1], on_error) : NULL;

	if (!server) {
		fputs("usage: receive-osc PORT\n", stderr);
		return 1;
	}
	lo_server_add_method(server, NULL, NULL, on_message, NULL);
	for (;;)
		lo_server_recv(server);
}
