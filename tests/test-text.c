/* SPDX-License-Identifier: MIT */
/* Names in any encoding become texts that terminals and JSON take. */
#include <string.h>

#include "check.h"
#include "graph/text.h"

static void check_clean(const char *text, const char *expected)
{
	char copy[64];

	strcpy(copy, text);
	weir_text_clean(copy);
	CHECK(strcmp(copy, expected) == 0);
}

static void test_utf_8_stays(void)
{
	check_clean("", "");
	check_clean("Kopfhörer 耳机 🎧", "Kopfhörer 耳机 🎧");
	check_clean("\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f"
		    "\xbf\xbf",
		    "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f"
		    "\xbf\xbf");
	check_clean("two\nlines", "two\nlines");
}

/* RFC 3629: Latin 1, ends that are missing, overlong forms, surrogates, beyond U+10FFFF. */
static void test_what_is_not_utf_8_becomes_question_marks(void)
{
	check_clean("Kopfh\xf6rer", "Kopfh?rer");
	check_clean("\xc3", "?");
	check_clean("a\xe8\x80", "a??");
	check_clean("\xf0\x9f\x8e", "???");
	check_clean("\xc3(", "?(");
	check_clean("\xc0\xaf\xe0\x9f\xbf\xf0\x8f\xbf\xbf", "?????????");
	check_clean("\xed\xa0\x80", "???");
	check_clean("\xf4\x90\x80\x80\xff", "?????");
}

static void test_what_a_terminal_obeys_becomes_a_question_mark(void)
{
	check_clean("\x1b[31mred\x07\t\r\x7f", "?[31mred????");
	check_clean("\xc2\x9b"
		    "31m",
		    "?31m");
}

static void test_characters_are_counted_in_bytes(void)
{
	CHECK(weir_text_character("") == 0 && weir_text_character("a") == 1);
	CHECK(weir_text_character("ö") == 2 && weir_text_character("耳") == 3 &&
	      weir_text_character("🎧") == 4);
	CHECK(weir_text_character("\x80") == 0);
}

int main(void)
{
	test_utf_8_stays();
	test_what_is_not_utf_8_becomes_question_marks();
	test_what_a_terminal_obeys_becomes_a_question_mark();
	test_characters_are_counted_in_bytes();
	return 0;
}
