/* SPDX-License-Identifier: MIT */

/*
 * Other analyzers, called as a real-time host would: one hop of stereo in, its results out.
 *
 * usage: peer PEER IN.wav         prints JSON lines as weir-run does
 *        peer PEER BLOCK SECONDS  prints what bench/cost prints; BLOCK: the frames of its hop
 *
 * PEER is one of:
 *
 *	ebur128         all of EBU R 128 with true peak, queried every 10 ms
 *	aubio-energy    onsets
 *	aubio-specflux  onsets
 *	aubio-tempo     beats and tempo
 *	aubio-yinfft    fundamental frequency
 *	aubio           the last three
 *	webrtc          voice activity
 *	webrtc-graded   voice activity: the share of its likelihood settings that detect speech
 *
 * For instructions: valgrind --tool=callgrind --toggle-collect=peer_feed peer ...
 */

#include <cstring>
#include <memory>
#include <sndfile.h>
#include <string>
#include <vector>

#include "bench/cost.h"

#ifdef HAVE_LIBEBUR128
#include <ebur128.h>
#endif
#ifdef HAVE_AUBIO
#include <aubio/aubio.h>
#endif
#ifdef HAVE_WEBRTC_AUDIO_PROCESSING
#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>
#endif
#ifdef HAVE_WEBRTC_AUDIO_PROCESSING_1
#include <modules/audio_processing/include/audio_processing.h>
#endif
#if defined(HAVE_WEBRTC_AUDIO_PROCESSING) || defined(HAVE_WEBRTC_AUDIO_PROCESSING_1)
#define HAVE_WEBRTC
#endif

#define MOST_HOP 512 /* frames */
#define TEN_MS (COST_RATE / 100)

static bool telling; /* does anybody read what is found? */

struct peer {
	const size_t hop; /* frames it takes at once */
	size_t n_heard = 0;

	explicit peer(size_t frames) : hop(frames)
	{
	}
	virtual ~peer() = default;

	void take(const float *left, const float *right)
	{
		n_heard += hop;
		feed(left, right);
	}

	double heard_seconds() const
	{
		return (double)n_heard / COST_RATE;
	}
	void tell(const char *what, double value) const
	{
		if (telling)
			printf("{\"t\": %.5f, \"%s\": %.5f}\n", heard_seconds(), what, value);
	}
	void tell_event(const char *what, double at) const
	{
		if (telling)
			printf("{\"t\": %.5f, \"ev\": \"%s\", \"at\": %.5f}\n", heard_seconds(),
			       what, at);
	}

      private:
	virtual void feed(const float *left, const float *right) = 0;
};

#ifdef HAVE_LIBEBUR128
struct ebur128_peer : peer {
	ebur128_state *state;
	float frames[2 * TEN_MS];

	ebur128_peer() : peer(TEN_MS)
	{
		state = ebur128_init(2, COST_RATE,
				     EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK |
					     EBUR128_MODE_HISTOGRAM);
	}
	~ebur128_peer() override
	{
		ebur128_destroy(&state);
	}

	void feed(const float *left, const float *right) override
	{
		double m, s, i, lra, peak[2];

		for (size_t f = 0; f < hop; f++) {
			frames[2 * f] = left[f];
			frames[2 * f + 1] = right[f];
		}
		ebur128_add_frames_float(state, frames, hop);
		ebur128_loudness_momentary(state, &m);
		ebur128_loudness_shortterm(state, &s);
		ebur128_loudness_global(state, &i);
		ebur128_loudness_range(state, &lra);
		for (unsigned c = 0; c < 2; c++)
			ebur128_true_peak(state, c, &peak[c]);
		tell("m", m);
		tell("s", s);
		tell("i", i);
		tell("lra", lra);
		tell("tp_max", 20.0 * log10(fmax(peak[0], peak[1])));
	}
};
#endif

#ifdef HAVE_AUBIO
/* Windows and hops are those of aubio's own programs. */
struct aubio_peer : peer {
	fvec_t *in, *found = new_fvec(2);

	explicit aubio_peer(size_t frames) : peer(frames), in(new_fvec((uint_t)frames))
	{
	}
	~aubio_peer() override
	{
		del_fvec(in);
		del_fvec(found);
	}

	void mix(const float *left, const float *right)
	{
		for (size_t f = 0; f < hop; f++)
			in->data[f] = 0.5f * (left[f] + right[f]);
	}
};

struct onset_peer : aubio_peer {
	aubio_onset_t *onset;

	explicit onset_peer(const char *method) : aubio_peer(256)
	{
		onset = new_aubio_onset(method, 512, (uint_t)hop, COST_RATE);
	}
	~onset_peer() override
	{
		del_aubio_onset(onset);
	}

	void feed(const float *left, const float *right) override
	{
		mix(left, right);
		aubio_onset_do(onset, in, found);
		if (found->data[0] != 0.0f)
			tell_event("onset", (double)aubio_onset_get_last_s(onset));
	}
};

struct tempo_peer : aubio_peer {
	aubio_tempo_t *tempo;

	tempo_peer() : aubio_peer(512)
	{
		tempo = new_aubio_tempo("default", 1024, (uint_t)hop, COST_RATE);
	}
	~tempo_peer() override
	{
		del_aubio_tempo(tempo);
	}

	void feed(const float *left, const float *right) override
	{
		mix(left, right);
		aubio_tempo_do(tempo, in, found);
		if (found->data[0] != 0.0f)
			tell_event("beat", (double)aubio_tempo_get_last_s(tempo));

		const float bpm = aubio_tempo_get_bpm(tempo);

		if (bpm > 0.0f)
			tell("bpm", (double)bpm);
	}
};

struct pitch_peer : aubio_peer {
	aubio_pitch_t *pitch;

	pitch_peer() : aubio_peer(256)
	{
		pitch = new_aubio_pitch("yinfft", 2048, (uint_t)hop, COST_RATE);
		aubio_pitch_set_unit(pitch, "Hz");
	}
	~pitch_peer() override
	{
		del_aubio_pitch(pitch);
	}

	void feed(const float *left, const float *right) override
	{
		mix(left, right);
		aubio_pitch_do(pitch, in, found);
		tell("f0", (double)found->data[0]);
	}
};

struct all_of_aubio : peer {
	std::unique_ptr<peer> parts[3];

	all_of_aubio()
	    : peer(512), parts{ std::make_unique<onset_peer>("specflux"),
				std::make_unique<tempo_peer>(), std::make_unique<pitch_peer>() }
	{
	}

	void feed(const float *left, const float *right) override
	{
		for (auto &part : parts)
			for (size_t f = 0; f < hop; f += part->hop)
				part->take(left + f, right + f);
	}
};
#endif

#ifdef HAVE_WEBRTC
using webrtc::AudioProcessing;
using webrtc::StreamConfig;

#ifdef HAVE_WEBRTC_AUDIO_PROCESSING
#define LIKELIHOODS 4

static AudioProcessing *processing_create(int likelihood)
{
	AudioProcessing *processing = AudioProcessing::Create();
	auto *detection = processing->voice_detection();

	detection->set_likelihood((webrtc::VoiceDetection::Likelihood)likelihood);
	detection->Enable(true);
	return processing;
}

static bool has_voice(AudioProcessing *processing)
{
	return processing->voice_detection()->stream_has_voice();
}
#else
#define LIKELIHOODS 1

static AudioProcessing *processing_create(int)
{
	AudioProcessing *processing = webrtc::AudioProcessingBuilder().Create();
	AudioProcessing::Config config;

	config.voice_detection.enabled = true;
	processing->ApplyConfig(config);
	return processing;
}

static bool has_voice(AudioProcessing *processing)
{
	return processing->GetStatistics().voice_detected.value_or(false);
}
#endif

struct webrtc_peer : peer {
	std::vector<std::unique_ptr<AudioProcessing>> processings;
	float out[2][TEN_MS];

	explicit webrtc_peer(bool is_graded) : peer(TEN_MS)
	{
		const int usual = LIKELIHOODS > 1 ? 1 : 0;

		for (int i = 0; i < LIKELIHOODS; i++)
			if (is_graded || i == usual)
				processings.emplace_back(processing_create(i));
	}

	void feed(const float *left, const float *right) override
	{
		const StreamConfig stereo(COST_RATE, 2);
		const float *const in[] = { left, right };
		float *const to[] = { out[0], out[1] };
		double n_voiced = 0.0;

		for (auto &processing : processings) {
			processing->ProcessStream(in, stereo, stereo, to);
			n_voiced += has_voice(processing.get());
		}
		tell("vad", n_voiced / (double)processings.size());
	}
};
#endif

/* Exits if there is no such peer. */
static std::unique_ptr<peer> create(const std::string &name)
{
#ifdef HAVE_LIBEBUR128
	if (name == "ebur128")
		return std::make_unique<ebur128_peer>();
#endif
#ifdef HAVE_AUBIO
	if (name == "aubio-energy" || name == "aubio-specflux")
		return std::make_unique<onset_peer>(name.c_str() + strlen("aubio-"));
	if (name == "aubio-tempo")
		return std::make_unique<tempo_peer>();
	if (name == "aubio-yinfft")
		return std::make_unique<pitch_peer>();
	if (name == "aubio")
		return std::make_unique<all_of_aubio>();
#endif
#ifdef HAVE_WEBRTC
	if (name == "webrtc" || name == "webrtc-graded")
		return std::make_unique<webrtc_peer>(name == "webrtc-graded");
#endif
	fprintf(stderr, "peer: there is no %s here\n", name.c_str());
	exit(EXIT_FAILURE);
}

/* A plain name, for valgrind. */
extern "C" __attribute__((noinline)) void peer_feed(peer *p, const float *left, const float *right)
{
	p->take(left, right);
}

static void pass(peer *p, unsigned long n_hops, double *cost)
{
	float left[MOST_HOP], right[MOST_HOP];

	srand(1);
	for (unsigned long h = 0; h < n_hops; h++) {
		for (size_t f = 0; f < p->hop; f++) {
			left[f] = cost_sound(h * p->hop + f);
			right[f] = 0.7f * left[f];
		}

		const double begun = cost_clock();

		peer_feed(p, left, right);
		cost[h] = fmin(cost[h], cost_clock() - begun);
	}
}

static void cost_measure(const char *name, double seconds)
{
	const size_t hop = create(name)->hop;
	const unsigned long n_hops = (unsigned long)(seconds * COST_RATE / (double)hop);
	double *cost = cost_create(n_hops, hop);

	for (int i = 0; i < COST_PASSES; i++)
		pass(create(name).get(), n_hops, cost);
	cost_print(cost, n_hops, hop, COST_RATE);
	free(cost);
}

static void file_analyze(peer *p, const char *path)
{
	SF_INFO format = {};
	SNDFILE *file = sf_open(path, SFM_READ, &format);

	if (!file || format.channels != 1 || format.samplerate != COST_RATE) {
		fprintf(stderr, "peer: %s: cannot be opened, or not 48 kHz mono\n", path);
		exit(EXIT_FAILURE);
	}

	std::vector<float> sound((size_t)format.frames);

	sf_readf_float(file, sound.data(), format.frames);
	sf_close(file);
	telling = true;
	for (size_t from = 0; from + p->hop <= sound.size(); from += p->hop)
		peer_feed(p, &sound[from], &sound[from]);
}

int main(int argc, char *argv[])
{
	if (argc == 3) {
		file_analyze(create(argv[1]).get(), argv[2]);
		return EXIT_SUCCESS;
	}
	if (argc != 4) {
		fputs("usage: peer PEER IN.wav|BLOCK SECONDS\n", stderr);
		return EXIT_FAILURE;
	}

	const size_t hop = create(argv[1])->hop;

	if ((size_t)atoi(argv[2]) != hop) {
		fprintf(stderr, "peer: %s takes %zu frames at once\n", argv[1], hop);
		return EXIT_FAILURE;
	}
	cost_measure(argv[1], atof(argv[3]));
	return EXIT_SUCCESS;
}
