/* SPDX-License-Identifier: MIT */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/message.h"
#include "tools/cli/number.h"

uint32_t feed_find_port(const struct weir_unit *unit, enum weir_port_type type, const char *name,
			size_t length)
{
	uint32_t i = 0;

	while (i < unit->n_ports &&
	       !(unit->ports[i].type == type && strlen(unit->ports[i].name) == length &&
		 strncmp(unit->ports[i].name, name, length) == 0))
		i++;
	return i;
}

uint32_t feed_count_ports(const struct weir_unit *unit, enum weir_port_type type)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < unit->n_ports; i++)
		n += unit->ports[i].type == type;
	return n;
}

void feed_refuse_port(const struct weir_unit *unit, enum weir_port_type type, const char *what,
		      const char *argument)
{
	char names[512] = "";

	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const size_t used = strlen(names);

		if (unit->ports[i].type == type)
			snprintf(names + used, sizeof(names) - used, " %s", unit->ports[i].name);
	}
	die("%s has no %s \"%.*s\". It has:%s", unit->name, what, (int)strcspn(argument, "="),
	    argument, names[0] ? names : " none");
}

/* The file that is this one, whatever it is called; or n_inputs. */
static uint32_t input_find(const struct feed *feed, const struct stat *status)
{
	uint32_t i = 0;

	while (i < feed->n_inputs && !(feed->input[i].status.st_ino == status->st_ino &&
				       feed->input[i].status.st_dev == status->st_dev))
		i++;
	return i;
}

bool feed_has_file(const struct feed *feed, const struct stat *status)
{
	return input_find(feed, status) < feed->n_inputs;
}

/* Returns the index of the file, which is opened once: all its uses read on together. */
static uint32_t input_open(struct feed *feed, const char *path)
{
	struct soundfile *input = &feed->input[feed->n_inputs];
	struct stat status;

	if (soundfile_stat(path, &status) == 0 && feed_has_file(feed, &status))
		return input_find(feed, &status);
	if (feed->n_inputs == WEIR_MAX_PORTS)
		die("%s: the maximum is %d input files", path, WEIR_MAX_PORTS);
	soundfile_open(input, path);
	if (feed->rate && feed->rate != (uint32_t)input->format.samplerate)
		die("%s is at %d Hz, %s at %u Hz. All inputs must have the same rate: convert one, "
		    "for example with sox IN.wav -r %u OUT.wav",
		    path, input->format.samplerate, feed->input[0].path, feed->rate, feed->rate);
	feed->rate = (uint32_t)input->format.samplerate;
	return feed->n_inputs++;
}

static void source_set(struct feed *feed, uint32_t port, uint32_t file, uint32_t channel)
{
	feed->source[port] = (struct feed_source){ .path = feed->input[file].path,
						   .file = file,
						   .channel = channel };
}

/* A colon belongs to the path unless a channel number follows it. */
void feed_connect(struct feed *feed, char *argument)
{
	const size_t length = strcspn(argument, "=");
	const uint32_t port = feed_find_port(feed->unit, WEIR_AUDIO_IN, argument, length);
	char *path = argument + length + 1;
	const char *number = NULL;
	uint32_t channel = 1;

	if (port == feed->unit->n_ports)
		feed_refuse_port(feed->unit, WEIR_AUDIO_IN, "audio input", argument);
	if (!argument[length] || !*path)
		die("-i %s: a file is missing. Write -i %.*s=FILE", argument, (int)length,
		    argument);
	if (feed->source[port].path)
		die("-i %s: %s already feeds %.*s", argument, feed->source[port].path, (int)length,
		    argument);

	char *colon = strrchr(path, ':');

	if (colon && colon[1] && !colon[1 + strspn(colon + 1, "0123456789")]) {
		number = colon + 1;
		*colon = '\0';
	}

	const uint32_t file = input_open(feed, path);
	const uint32_t n_channels = (uint32_t)feed->input[file].format.channels;

	if (number && (!number_parse(number, &channel) || channel < 1 || channel > n_channels))
		die("%s has no channel %s: it has 1 to %u", path, number, n_channels);
	source_set(feed, port, file, channel - 1);
}

/* The next audio input that nothing feeds yet, or n_ports. */
static uint32_t input_free(const struct feed *feed)
{
	uint32_t i = 0;

	while (i < feed->unit->n_ports &&
	       (feed->unit->ports[i].type != WEIR_AUDIO_IN || feed->source[i].path))
		i++;
	return i;
}

/* The audio input of this position, if nothing feeds it; or n_ports. */
static uint32_t input_at(const struct feed *feed, const char *position)
{
	const struct weir_unit *unit = feed->unit;
	uint32_t i = 0;

	while (i < unit->n_ports && (unit->ports[i].type != WEIR_AUDIO_IN || feed->source[i].path ||
				     strcmp(unit->ports[i].channel, position) != 0))
		i++;
	return i;
}

static bool has_position(const struct soundfile *sound, const char *const positions[])
{
	for (int c = 0; c < sound->format.channels && c < POSITIONS_MAX; c++)
		for (uint32_t i = 0; sound->position[c] && positions[i]; i++)
			if (strcmp(sound->position[c], positions[i]) == 0)
				return true;
	return false;
}

/*
 * An input for a channel without an input of its name: one that loudness weighs with 1, as ITU-R
 * BS.1770-5 weighs all that is in front, behind or above.
 */
static uint32_t input_instead(const struct feed *feed)
{
	static const char *const positions[] = { "RL", "RR", "FC" };
	uint32_t port = feed->unit->n_ports;

	for (uint32_t i = 0; i < 3 && port == feed->unit->n_ports; i++)
		port = input_at(feed, positions[i]);
	return port;
}

/* What surrounds is at the sides as soon as there is something else behind, as in 7.1. */
static const char *position_for(const struct feed *feed, const char *position, bool has_sides)
{
	if (strcmp(position, "MONO") == 0)
		return "FC";
	if (feed->has_rears && !has_sides && strcmp(position, "RL") == 0)
		return "SL";
	if (feed->has_rears && !has_sides && strcmp(position, "RR") == 0)
		return "SR";
	return position;
}

/* Returns false when a channel finds no input. */
static bool positions_feed(struct feed *feed, uint32_t file, char *moved, size_t size)
{
	static const char *const sides[] = { "SL", "SR", NULL }, *const rears[] = { "RL", "RR",
										    NULL };
	static const char *const others[] = { "RC",  "FLC", "FRC", "TC",  "TFL", "TFR",
					      "TFC", "TRL", "TRR", "TRC", NULL };
	const struct soundfile *sound = &feed->input[file];
	const uint32_t n_channels = (uint32_t)sound->format.channels, none = feed->unit->n_ports;
	const bool has_sides = has_position(sound, sides);
	uint64_t rest = 0;

	feed->has_rears = has_position(sound, others) || (has_sides && has_position(sound, rears));
	for (uint32_t c = 0; c < n_channels; c++) {
		const uint32_t port =
			input_at(feed, position_for(feed, sound->position[c], has_sides));

		if (port < none)
			source_set(feed, port, file, c);
		else
			rest |= 1u << c;
	}
	for (uint32_t c = 0; c < n_channels; c++) {
		const uint32_t port = input_instead(feed);
		const size_t used = strlen(moved);

		if (!(rest >> c & 1))
			continue;
		if (port == none)
			return false;
		source_set(feed, port, file, c);
		snprintf(moved + used, size - used, ", %s as %s", sound->position[c],
			 feed->unit->ports[port].name);
	}
	return true;
}

static const struct weir_unit *unit_variant(const struct weir_unit *unit, const char *suffix)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-%s", unit->name, suffix);
	return weir_unit_find(name);
}

/* A unit that has inputs for loudspeakers around. */
static bool is_wide(const struct weir_unit *unit)
{
	for (uint32_t i = 0; i < unit->n_ports; i++)
		if (unit->ports[i].type == WEIR_AUDIO_IN &&
		    strcmp(unit->ports[i].channel, "FC") == 0)
			return true;
	return false;
}

/*
 * The variant with eight inputs for a file with more channels than the unit, or with a channel that
 * the unit would run differently (low frequencies) or weight differently (side and rear). The mono
 * variant for one channel if the unit only measures; other units feed the channel to all inputs.
 */
static const struct weir_unit *unit_fit(const struct weir_unit *unit, const struct soundfile *sound)
{
	static const char *const low[] = { "LFE", NULL };
	static const char *const weighted[] = { "LFE", "RL", "RR", "SL", "SR", NULL };
	const uint32_t n_channels = (uint32_t)sound->format.channels;
	const uint32_t n_inputs = feed_count_ports(unit, WEIR_AUDIO_IN);
	const struct weir_unit *wide = unit_variant(unit, "8"), *mono = unit_variant(unit, "mono");

	if (n_channels == 1)
		return mono && unit->continuous ? mono : unit;
	if (n_channels <= n_inputs &&
	    (!wide || !has_position(sound, unit->continuous ? weighted : low)))
		return unit;
	if (!wide || n_channels > feed_count_ports(wide, WEIR_AUDIO_IN))
		die("%s has %u channels, %s has %u inputs. Choose channels: -i PORT=%s:CHANNEL",
		    sound->path, n_channels, unit->name, n_inputs, sound->path);
	return wide;
}

/* "FL FR FC" */
static void positions_list(const struct soundfile *sound, char *list, size_t size)
{
	list[0] = '\0';
	for (int c = 0; c < sound->format.channels; c++) {
		const size_t used = strlen(list);

		snprintf(list + used, size - used, "%s%s", c ? " " : "", sound->position[c]);
	}
}

/* One file, by its loudspeakers. */
static void loudspeakers_feed(struct feed *feed, uint32_t file, bool is_variant)
{
	const struct soundfile *sound = &feed->input[file];
	const int n_channels = sound->format.channels;
	char list[128], moved[128] = "";

	if (sound->origin == POSITIONS_AMBISONIC)
		die("%s is ambisonic: its channels are not those of loudspeakers. Decode it, or "
		    "choose channels: -i PORT=%s:CHANNEL",
		    sound->path, sound->path);
	positions_list(sound, list, sizeof(list));
	if (!positions_feed(feed, file, moved, sizeof(moved)))
		die("%s has the channels %s, and %s does not have inputs for all of them. Choose "
		    "channels: -i PORT=%s:CHANNEL",
		    sound->path, list, feed->unit->name, sound->path);
	if (sound->origin == POSITIONS_ASSUMED)
		warn("%s has %d channels: using unit %s. The file does not name the channels: "
		     "assuming %s%s",
		     sound->path, n_channels, feed->unit->name, list, moved);
	else if (is_variant)
		warn("%s has %d channels: using unit %s, %s%s", sound->path, n_channels,
		     feed->unit->name, list, moved);
}

static void file_feed(struct feed *feed, uint32_t file)
{
	const struct soundfile *sound = &feed->input[file];
	const uint32_t n_channels = (uint32_t)sound->format.channels;

	if (input_free(feed) == feed->unit->n_ports)
		die("%s has no input left: other files feed all audio inputs of %s", sound->path,
		    feed->unit->name);
	for (uint32_t c = 0; c < n_channels; c++) {
		const uint32_t port = input_free(feed);

		if (port == feed->unit->n_ports)
			die("%s has %u channels, and %s has inputs for %u of them. Choose "
			    "channels: -i PORT=%s:CHANNEL",
			    sound->path, n_channels, feed->unit->name, c, sound->path);
		source_set(feed, port, file, c);
	}
}

static void mono_feed(struct feed *feed, uint32_t file)
{
	for (uint32_t port; (port = input_free(feed)) < feed->unit->n_ports;)
		source_set(feed, port, file, 0);
}

void feed_fill(struct feed *feed, char *paths[], uint32_t n_paths)
{
	const struct weir_unit *const named = feed->unit;
	const bool is_alone = n_paths == 1 && feed->n_inputs == 0;

	for (uint32_t i = 0; i < n_paths; i++) {
		const uint32_t file = input_open(feed, paths[i]);
		const struct soundfile *sound = &feed->input[file];

		if (is_alone)
			feed->unit = unit_fit(named, sound);
		if (feed->unit != named && sound->format.channels == 1)
			warn("%s has 1 channel: using unit %s", sound->path, feed->unit->name);
		if (is_alone && is_wide(feed->unit) &&
		    (sound->format.channels > 1 || feed->unit->continuous))
			loudspeakers_feed(feed, file, feed->unit != named);
		else if (is_alone && sound->format.channels == 1)
			mono_feed(feed, file);
		else
			file_feed(feed, file);
	}
}

uint64_t feed_get_frames(const struct feed *feed)
{
	uint64_t max = 0;

	for (uint32_t i = 0; i < feed->n_inputs; i++) {
		const uint64_t frames = soundfile_get_frames(&feed->input[i]);

		max = frames > max ? frames : max;
	}
	return max;
}

uint32_t feed_read(struct feed *feed, float (*audio)[WEIR_MAX_FRAMES], uint32_t n_frames)
{
	uint32_t max = 0;

	for (uint32_t i = 0; i < feed->n_inputs; i++) {
		const uint32_t got = soundfile_read(&feed->input[i], n_frames);

		max = got > max ? got : max;
	}
	for (uint32_t i = 0; i < feed->unit->n_ports; i++) {
		const struct feed_source *source = &feed->source[i];
		const struct soundfile *input = &feed->input[source->file];

		if (!source->path)
			continue;
		for (uint32_t f = 0; f < n_frames; f++)
			audio[i][f] = input->block[f * (uint32_t)input->format.channels +
						   source->channel];
	}
	return max;
}

void feed_close(struct feed *feed)
{
	for (uint32_t i = 0; i < feed->n_inputs; i++) {
		soundfile_check_end(&feed->input[i]);
		soundfile_close(&feed->input[i]);
	}
}
