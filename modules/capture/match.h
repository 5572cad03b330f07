/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_MATCH_H
#define WEIR_CAPTURE_MATCH_H

#include <stdbool.h>

#include <pipewire/properties.h>

/* The streams that an array of matches, as in capture.match, selects. */
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

/* How a stream comes to be captured. */
enum capture_fit {
	CAPTURE_FIT_NONE,
	CAPTURE_FIT_ITSELF,   /* the stream's own process fits */
	CAPTURE_FIT_ANCESTOR, /* a process that started the stream's fits */
};

/* Of the stream with these properties. client: its client's, may be NULL. */
enum capture_fit capture_match_get_fit(const struct capture_match *match,
				       const struct capture_match *exclude,
				       const struct spa_dict *node, const struct spa_dict *client);
/* Is the node one of a JACK client that would be captured if it had streams? */
bool capture_match_fits_jack(const struct capture_match *match, const struct capture_match *exclude,
			     const struct spa_dict *node, const struct spa_dict *client);
/* All properties: the stream's, the client's where it has none, and the right process id. */
struct pw_properties *capture_merge_props(const struct spa_dict *node,
					  const struct spa_dict *client);

#endif
