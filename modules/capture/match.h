/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_MATCH_H
#define WEIR_CAPTURE_MATCH_H

#include <stdbool.h>

#include <pipewire/properties.h>

/* Which streams an array of matches, as in capture.match, means. */
struct capture_match {
	char *rules;	  /* for pw_conf_match_rules; NULL: nothing matches */
	char *tree_rules; /* those with process.tree = true */
};

/*
 * text is the value of the configuration's key. Returns 0, or -errno after one message of the
 * capture called name; then nothing is to be freed.
 */
int capture_match_parse(struct capture_match *match, const char *name, const char *key,
			const char *text);
void capture_match_finish(struct capture_match *match);

/* props are those of a stream and its client. */
bool capture_match_fits(const struct capture_match *match, const struct pw_properties *props);
/*
 * Does one of the processes that started the stream's fit in its place: one with the same program,
 * and with process.tree any of them?
 */
bool capture_match_fits_ancestor(const struct capture_match *match,
				 const struct pw_properties *props);

#endif
