/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdint.h>

/* RFC 3629, 4: the bytes that a first byte allows to follow. */
static const struct {
	uint8_t first, last;
	uint8_t low, high; /* of the second byte */
	uint8_t n;	   /* bytes in all */
} sequences[] = {
	{ 0x01, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t weir_text_character(const char *text)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t s = 0, n = 1;

	while (s < sizeof(sequences) / sizeof(sequences[0]) &&
	       (bytes[0] < sequences[s].first || bytes[0] > sequences[s].last))
		s++;
	if (s == sizeof(sequences) / sizeof(sequences[0]))
		return 0;
	if (sequences[s].n > 1 && (bytes[1] < sequences[s].low || bytes[1] > sequences[s].high))
		return 0;
	while (n < sequences[s].n && (n == 1 || (bytes[n] >= 0x80 && bytes[n] <= 0xbf)))
		n++;
	return n == sequences[s].n ? n : 0;
}

/* C0, DEL, and C1, which are c2 80 to c2 9f. */
static int is_control(const char *character)
{
	const uint8_t *bytes = (const uint8_t *)character;

	if (bytes[0] == '\n')
		return 0;
	return bytes[0] < ' ' || bytes[0] == 0x7f || (bytes[0] == 0xc2 && bytes[1] < 0xa0);
}

void weir_text_clean(char *text)
{
	char *to = text;

	while (*text) {
		const size_t n = weir_text_character(text);

		if (n == 0 || is_control(text)) {
			*to++ = '?';
			text += n ? n : 1;
			continue;
		}
		for (size_t i = 0; i < n; i++)
			*to++ = *text++;
	}
	*to = '\0';
}
