/* SPDX-License-Identifier: MIT */

/* Properties of a capture: its state, and the processes that it captures. */

#include <spa/utils/json.h>
#include <stdlib.h>
#include <string.h>

#include "graph/text.h"
#include "page.h"

#define MAX_STREAMS 12

struct stream {
	char name[256]; /* as much of it as a terminal shows */
	int pid, id;
};

/* What does not fit is cut: the last character then is no character. */
static void name_read(char *name, size_t size, const char *value, int length)
{
	char *whole = malloc((size_t)length + 1);

	if (whole && spa_json_parse_stringn(value, length, whole, length + 1) > 0) {
		snprintf(name, size, "%s", whole);
		weir_text_clean(name);
	}
	free(whole);
}

static void stream_read(struct spa_json *object, struct stream *stream)
{
	char key[32];
	const char *value;

	*stream = (struct stream){ .pid = -1, .id = -1 };
	while (spa_json_get_string(object, key, sizeof(key)) > 0) {
		const int length = spa_json_next(object, &value);

		if (length <= 0)
			return;
		if (strcmp(key, "name") == 0)
			name_read(stream->name, sizeof(stream->name), value, length);
		else if (strcmp(key, "pid") == 0)
			spa_json_parse_int(value, length, &stream->pid);
		else if (strcmp(key, "id") == 0)
			spa_json_parse_int(value, length, &stream->id);
	}
}

static int read_streams(const char *text, struct stream *streams)
{
	struct spa_json json, array, object;
	int n = 0;

	if (!text)
		return 0;
	spa_json_init(&json, text, strlen(text));
	if (spa_json_enter_array(&json, &array) <= 0)
		return 0;
	while (n < MAX_STREAMS && spa_json_enter_object(&array, &object) > 0)
		stream_read(&object, &streams[n++]);
	return n;
}

static int capture_rows(struct page *page)
{
	struct stream streams[MAX_STREAMS];

	return page->capture_state ? 2 + read_streams(page->capture_streams, streams) : 0;
}

static void capture_draw(struct page *page, int row, int rows)
{
	struct stream streams[MAX_STREAMS];
	const int n = read_streams(page->capture_streams, streams);
	const bool captured = strcmp(page->capture_state, "captured") == 0;

	screen_print(row, 1, SCREEN_STRONG, "Capture");
	screen_print(row, 11, captured ? SCREEN_GOOD : SCREEN_LOUD, "%s", page->capture_state);
	screen_print(row + 1, 1, SCREEN_WEAK, "    PID  stream  process");
	for (int i = 0; i < n && i < rows - 2; i++)
		screen_print(row + 2 + i, 1, SCREEN_PLAIN, "%7d %7d  %s", streams[i].pid,
			     streams[i].id, streams[i].name);
}

const struct section section_capture = { capture_rows, capture_draw, false };
