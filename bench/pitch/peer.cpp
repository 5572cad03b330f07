/* SPDX-License-Identifier: MIT */

/*
 * Other pitch shifters, called as a real-time host would: a block in, a block out, in stereo.
 *
 * usage: peer PEER SEMITONES FORMANT BLOCK IN.wav OUT.wav  prints the frames of latency it declares
 *        peer PEER SEMITONES FORMANT BLOCK SECONDS         prints what bench/cost prints
 *
 * PEER is rubberband or soundtouch. Their output per block varies in length: OUT.wav begins with
 * the minimum number of zeros with which a host that takes one block at a time never runs out of
 * samples. So OUT.wav has the latency that such a host would have.
 *
 * For instructions: valgrind --tool=callgrind --toggle-collect=peer_feed peer ...
 */

#include <algorithm>
#include <cstring>
#include <memory>
#include <sndfile.h>
#include <vector>

#include "bench/cost.h"

#ifdef HAVE_RUBBERBAND
#include <rubberband/RubberBandStretcher.h>
#endif
#ifdef HAVE_SOUNDTOUCH
#include <SoundTouch.h>
#endif

#define MOST_IN 8192   /* frames of a block */
#define MOST_OUT 65536 /* frames that one block can make */
#define TAIL 24000     /* frames of silence behind the sound */

static float in_l[MOST_IN], in_r[MOST_IN], out_l[MOST_OUT], out_r[MOST_OUT];
static float *const in[] = { in_l, in_r }, *const out[] = { out_l, out_r };

struct peer {
	size_t latency; /* frames, as declared */

	virtual ~peer() = default;

	/* Reads n frames from in; returns how many it wrote to out. */
	virtual size_t feed(size_t n) = 0;
};

#ifdef HAVE_RUBBERBAND
struct rubberband : peer {
	using library = RubberBand::RubberBandStretcher;
	library stretcher;

	rubberband(double semitones, bool formant, size_t block)
	    : stretcher(COST_RATE, 2,
			library::OptionProcessRealTime | library::OptionEngineFiner |
				library::OptionChannelsTogether |
				(formant ? library::OptionFormantPreserved : 0))
	{
		stretcher.setPitchScale(exp2(semitones / 12.0));
		stretcher.setMaxProcessSize(block);
		latency = stretcher.getStartDelay();
	}

	size_t feed(size_t n) override
	{
		stretcher.process(in, n, false);
		return stretcher.retrieve(out, std::min(stretcher.available(), MOST_OUT));
	}
};
#endif

#ifdef HAVE_SOUNDTOUCH
struct soundtouch_peer : peer {
	soundtouch::SoundTouch stretcher;
	std::vector<float> frames; /* interleaved */

	explicit soundtouch_peer(double semitones) : frames(2 * MOST_OUT)
	{
		stretcher.setSampleRate(COST_RATE);
		stretcher.setChannels(2);
		stretcher.setPitchSemiTones(semitones);
		latency = (size_t)stretcher.getSetting(SETTING_INITIAL_LATENCY);
	}

	size_t feed(size_t n) override
	{
		for (size_t i = 0; i < 2 * n; i++)
			frames[i] = in[i % 2][i / 2];
		stretcher.putSamples(frames.data(), (unsigned)n);
		n = stretcher.receiveSamples(frames.data(), MOST_OUT);
		for (size_t i = 0; i < 2 * n; i++)
			out[i % 2][i / 2] = frames[i];
		return n;
	}
};
#endif

/* Exits if there is no such peer. */
static std::unique_ptr<peer> create(const char *name, double semitones, bool formant,
				    [[maybe_unused]] size_t block)
{
#ifdef HAVE_RUBBERBAND
	if (strcmp(name, "rubberband") == 0)
		return std::make_unique<rubberband>(semitones, formant, block);
#endif
#ifdef HAVE_SOUNDTOUCH
	if (strcmp(name, "soundtouch") == 0 && !formant)
		return std::make_unique<soundtouch_peer>(semitones);
#endif
	fprintf(stderr, "peer: there is no %s here%s\n", name,
		formant ? " that keeps formants" : "");
	exit(EXIT_FAILURE);
}

/* A plain name, for valgrind. */
extern "C" __attribute__((noinline)) size_t peer_feed(peer *p, size_t n)
{
	return p->feed(n);
}

static void pass(peer *p, size_t block, unsigned long n_blocks, double *cost)
{
	srand(1);
	for (unsigned long b = 0; b < n_blocks; b++) {
		for (size_t f = 0; f < block; f++) {
			in_l[f] = cost_sound(b * block + f);
			in_r[f] = 0.7f * in_l[f];
		}

		const double begun = cost_clock();

		peer_feed(p, block);
		cost[b] = fmin(cost[b], cost_clock() - begun);
	}
}

static SNDFILE *file_open(const char *path, int mode, SF_INFO *format)
{
	SNDFILE *file = sf_open(path, mode, format);

	if (!file || format->channels != 2 || format->samplerate != COST_RATE) {
		fprintf(stderr, "peer: %s: cannot be opened, or not 48 kHz stereo\n", path);
		exit(EXIT_FAILURE);
	}
	return file;
}

static void file_shift(peer *p, size_t block, const char *in_path, const char *out_path)
{
	SF_INFO format = {};
	SNDFILE *file = file_open(in_path, SFM_READ, &format);
	const size_t n_frames = ((size_t)format.frames + TAIL) / block * block;
	std::vector<float> sound(2 * n_frames), made;
	size_t missing = 0; /* frames, where a host would miss the most */

	sf_readf_float(file, sound.data(), (sf_count_t)n_frames);
	sf_close(file);
	for (size_t from = 0; from < n_frames; from += block) {
		for (size_t i = 0; i < 2 * block; i++)
			in[i % 2][i / 2] = sound[2 * from + i];

		const size_t n = peer_feed(p, block);

		for (size_t i = 0; i < 2 * n; i++)
			made.push_back(out[i % 2][i / 2]);
		missing = std::max(missing + made.size() / 2, from + block) - made.size() / 2;
	}
	made.insert(made.begin(), 2 * missing, 0.0f);
	format.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
	file = file_open(out_path, SFM_WRITE, &format);
	sf_writef_float(file, made.data(), (sf_count_t)n_frames);
	if (sf_error(file) || sf_close(file))
		exit(EXIT_FAILURE);
	printf("%zu\n", p->latency);
}

int main(int argc, char *argv[])
{
	const size_t block = argc > 5 ? (size_t)atoi(argv[4]) : 0;

	if (block < 1 || block > MOST_IN) {
		fputs("usage: peer PEER SEMITONES FORMANT BLOCK IN.wav OUT.wav|SECONDS\n", stderr);
		return EXIT_FAILURE;
	}

	const auto make = [&] { return create(argv[1], atof(argv[2]), atoi(argv[3]), block); };

	if (argc > 6) {
		file_shift(make().get(), block, argv[5], argv[6]);
		return EXIT_SUCCESS;
	}

	const unsigned long n_blocks = (unsigned long)(atof(argv[5]) * COST_RATE / (double)block);
	double *cost = cost_create(n_blocks, block);

	for (int i = 0; i < COST_PASSES; i++)
		pass(make().get(), block, n_blocks, cost);
	cost_print(cost, n_blocks, block, COST_RATE);
	free(cost);
	return EXIT_SUCCESS;
}
