/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include <errno.h>
#include <stdlib.h>

#include <spa/utils/result.h>
#include <spa/utils/string.h>

#include "graph/keys.h"
#include "graph/link.h"
#include "graph/log.h"
#include "graph/port.h"

/* Attempts to make our link when another one is in the way that is not in the registry. */
#define MAX_UNSEEN 8

static char *pair_name(struct weir_registry *registry, const struct weir_registry_object *output,
		       const struct weir_registry_object *input)
{
	const struct weir_registry_object *from =
		weir_registry_find(registry, WEIR_REGISTRY_NODE, output->owner_id);
	const struct weir_registry_object *to =
		weir_registry_find(registry, WEIR_REGISTRY_NODE, input->owner_id);

	return spa_aprintf("%s:%s -> %s:%s", pw_properties_get(from->props, PW_KEY_NODE_NAME),
			   weir_port_get_name(output),
			   pw_properties_get(to->props, PW_KEY_NODE_NAME),
			   weir_port_get_name(input));
}

void links_pair_add(struct links_pairs *pairs, const struct weir_registry_object *output,
		    const struct weir_registry_object *input, bool passive)
{
	struct links_pair *pair;

	spa_list_for_each(pair, &pairs->list, link)
	{
		if (pair->output == output->id && pair->input == input->id) {
			pair->wanted = true;
			return;
		}
	}
	pair = calloc(1, sizeof(*pair));
	if (pair == NULL)
		return;
	*pair = (struct links_pair){
		.pairs = pairs,
		.output = output->id,
		.input = input->id,
		.name = pair_name(pairs->registry, output, input),
		.passive = passive,
		.wanted = true,
	};
	spa_list_append(&pairs->list, &pair->link);
}

static void pairs_notify(const struct links_pairs *pairs)
{
	pairs->events->changed(pairs->data);
}

static void own_changed(void *data, struct weir_link *link)
{
	struct links_pair *pair = data;

	(void)link;
	pairs_notify(pair->pairs);
}

static const struct weir_link_events own_events = {
	.changed = own_changed,
};

/* A source runs only for its recorders: links to its inputs do not keep it awake. */
static bool input_sleeps_anyway(const struct links_pair *pair)
{
	const struct weir_registry_object *node = weir_registry_find(
		pair->pairs->registry, WEIR_REGISTRY_NODE, pair->own->input_node);

	return node != NULL && pw_properties_get(node->props, WEIR_KEY_CAPTURE_STATE) != NULL;
}

static void passive_check(const struct links_pair *pair)
{
	struct links_pairs *pairs = pair->pairs;

	if (!pair->passive || pair->own->is_passive || pairs->passive_reported ||
	    input_sleeps_anyway(pair))
		return;
	pairs->passive_reported = true;
	pw_log_warn("weir-links: %s: the sound server ignores passive from other processes, so the "
		    "link keeps its nodes awake. Write module.link-factory.args = { "
		    "allow.link.passive = true } into pipewire.conf.d, or load weir-links there",
		    pair->name);
}

static void pair_leave(struct links_pair *pair)
{
	pw_log_info("weir-links: another program made the link, which stays as it is: %s",
		    pair->name);
	pair->state = LINKS_PAIR_THEIRS;
	/* It may be gone already, before it was in the registry. */
	pairs_notify(pair->pairs);
}

static void pair_update_own(struct links_pair *pair)
{
	struct weir_link *own = pair->own;

	if (own->state == WEIR_LINK_PENDING)
		return;
	if (own->state == WEIR_LINK_MADE) {
		if (!pair->logged)
			pw_log_info("weir-links: linked %s", pair->name);
		pair->logged = true;
		passive_check(pair);
		return;
	}
	pair->state = LINKS_PAIR_OVER;
	if (own->res == -EEXIST)
		pair_leave(pair);
	else if (own->res == 0)
		pw_log_info(
			"weir-links: %s was unlinked by hand: it is linked again after one of its "
			"ports has gone and come back",
			pair->name);
	else if (own->res != -ENOENT)
		pw_log_warn("weir-links: cannot link %s: %s", pair->name,
			    own->error != NULL ? own->error : spa_strerror(own->res));
	pair->own = NULL;
	weir_link_destroy(own);
}

static void pair_make(struct links_pair *pair)
{
	struct weir_registry *registry = pair->pairs->registry;

	pair->own = weir_link_create(pair->pairs->connection,
				     weir_registry_find(registry, WEIR_REGISTRY_PORT, pair->output),
				     weir_registry_find(registry, WEIR_REGISTRY_PORT, pair->input),
				     pair->passive, &own_events, pair);
	if (pair->own == NULL)
		return;
	pair->state = LINKS_PAIR_OURS;
	pair_update_own(pair);
}

void links_pair_update(struct links_pair *pair)
{
	const bool linked =
		pair->state != LINKS_PAIR_OURS &&
		weir_registry_find_link(pair->pairs->registry, pair->output, pair->input) != NULL;

	switch (pair->state) {
	case LINKS_PAIR_NEW:
		if (linked)
			pair_leave(pair);
		else
			pair_make(pair);
		break;
	case LINKS_PAIR_OURS:
		pair_update_own(pair);
		break;
	case LINKS_PAIR_THEIRS:
		if (linked)
			pair->n_unseen = 0;
		else if (pair->n_unseen++ < MAX_UNSEEN)
			pair_make(pair);
		break;
	case LINKS_PAIR_OVER:
		break;
	}
}

void links_pair_destroy(struct links_pair *pair)
{
	if (pair->own != NULL) {
		pw_log_info("weir-links: lost %s", pair->name);
		weir_link_destroy(pair->own);
	}
	spa_list_remove(&pair->link);
	free(pair->name);
	free(pair);
}
