/* SPDX-License-Identifier: MIT */

/*
 * Phase vocoder with identity phase locking (Laroche & Dolson 1999).
 *
 * Frame u is centred at t_a in the input and at t_s in the stretch buffer. Its spectrum X_u
 * is divided midway between the peaks of its power; the bins around a peak p are rotated
 * by one angle, the same in all channels (with them the leakage of a low partial into
 * other bins: see partials.c):
 *
 *	omega   = arg(sum over channels of X_u(p) conj X_{u-1}(p)), unwrapped about
 *		  bin p, / (t_a(u) - t_a(u-1))			   instantaneous frequency
 *	theta_u = theta_{u-1} + omega ((t_s(u) - t_s(u-1)) - (t_a(u) - t_a(u-1)))
 *	Y_u     = X_u exp(i theta_u)						  rotation
 *
 * The analysis window is long up to its centre and short behind it, which keeps the
 * look-ahead short. The grain is shaped by g(t) divided by that window. g is a rise and a
 * fall of third degree, within the open part of the buffer, and both of the same length:
 * otherwise grains would displace their content in time.
 *
 * At an attack (after Roebel 2003) a frame is centred on it, and theta becomes 0 for
 * the peaks whose power rose. Where the attack is strong, frames before it end at
 * it, and frames behind it begin with it; the attack itself is left to its own frame.
 */

#include "vocoder.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "dsp/phasor.h"
#include "dsp/simd.h"

/* The stages of a frame, in this order, of about equal cost where the FFT allows it. */
#define ANALYSIS_STAGES 2 /* per channel: window, spectrum */
#define ROTATE_STAGES 6
#define SYNTHESIS_STAGES 3 /* per channel: rotation, grain, sum */

#define MAX_OFF 1.0f /* bins between a partial and its peak; no figure moves from 0.5 to 2 */

/*
 * The ratio of a frame's power to the input's up to which formants are kept: 4 dB. Of the frames of
 * voices, one in a hundred exceeds that at -7 semitones, one in ten at -12. At a lower
 * speed an attack lasts longer, which raises its energy by itself: both together may reach 6 dB.
 * Stretching adds no power to steady sound, but two octaves down 50 ms may hold one pulse more or
 * less of it.
 */
#define MAX_POWER_RATIO 2.5f
#define MAX_POWER_RATIO_STEADY 5.0f /* times the speed */
#define MAX_POWER_RATIO_ATTACK 4.0f

/*
 * Minimum power ratio of a peak that belongs to an attack. bench/pitch/score.py --shifts=4: speech
 * ASD 1.01 dB, at 1 1.08; speech BEC 0.92, at 2.4 0.89.
 */
#define ROSE 1.2f

uint32_t vocoder_count_stages(uint32_t n_channels)
{
	return 1 + n_channels * (ANALYSIS_STAGES + SYNTHESIS_STAGES) + ROTATE_STAGES;
}

WEIR_REALTIME void vocoder_reset(struct vocoder *vocoder)
{
	const size_t bins = vocoder->n_bins;

	for (uint32_t c = 0; c < vocoder->n_channels; c++) {
		memset(vocoder->spectrum[c], 0, bins * sizeof(fftwf_complex));
		memset(vocoder->spectrum_before[c], 0, bins * sizeof(fftwf_complex));
	}
	for (int i = 0; i <= VOCODER_MEMORY; i++)
		memset(vocoder->power[i], 0, bins * sizeof(float));
	memset(vocoder->phase, 0, bins * sizeof(float));
	memset(vocoder->phase_before, 0, bins * sizeof(float));
	vocoder->now = (struct vocoder_frame){ 0 };
	vocoder->before = (struct vocoder_frame){ 0 };
	onset_reset(&vocoder->onsets);
	formant_reset(&vocoder->formant);
	partials_reset(&vocoder->partials);
	stretch_reset(&vocoder->stretch);
}

/* Multiplies w by a ramp from 1 at end - fade to 0 at end, and by 0 from there. */
static WEIR_REALTIME void gate_before(float *w, int64_t n, int64_t end, int64_t fade)
{
	for (int64_t i = end > fade ? end - fade : 0; i < n; i++)
		w[i] = i < end ? w[i] * (float)(end - i) / (float)fade : 0.0f;
}

/* Multiplies w by 0 up to start - fade, and by a ramp to 1 at start. */
static WEIR_REALTIME void gate_behind(float *w, int64_t n, int64_t start, int64_t fade)
{
	for (int64_t i = 0; i < start && i < n; i++)
		w[i] = i < start - fade ? 0.0f : w[i] * (float)(i - start + fade) / (float)fade;
}

/* Places by which the output advanced more than the input since the frame before; 0 if less. */
static WEIR_REALTIME int64_t extra_places(const struct vocoder *vocoder)
{
	const struct vocoder_frame *now = &vocoder->now, *before = &vocoder->before;
	const int64_t more =
		(int32_t)(now->place - before->place) - (int64_t)(now->centre - before->centre);

	return before->work == VOCODER_SHIFT && more > 0 ? more : 0;
}

/*
 * Excludes the sound on the other side of a strong attack from the frame. With the window
 * the grain is gated: the rotation smears the cut in time, to where the sum of the windows
 * is 0. When the input is stretched, frames before an attack thus end short of it in the
 * buffer; the attack's own frame fills the gap.
 */
static WEIR_REALTIME void gate_onset(struct vocoder *vocoder, const struct onset *onset)
{
	const struct vocoder_frame *now = &vocoder->now;
	const int64_t n = vocoder->n, centre = n / VOCODER_WINDOW * VOCODER_BEFORE;
	const int64_t ahead = (int64_t)(onset->frame - now->centre);
	const int64_t behind = ahead + vocoder->strike;
	const int64_t place = onset->placed ? (int32_t)(onset->place - now->place)
					    : (int64_t)(now->speed * (float)ahead);

	vocoder->is_gated =
		vocoder->is_gated || (ahead != 0 && ahead < n - centre && ahead > -centre);
	if (ahead > 0 && ahead < n - centre) {
		gate_before(vocoder->gated, n, centre + ahead, vocoder->fade);
		gate_before(vocoder->shape, n, centre + (place < ahead ? place : ahead),
			    vocoder->fade);
	} else if (ahead == 0) {
		gate_behind(vocoder->shape, n, centre - extra_places(vocoder), vocoder->fade);
	} else if (ahead < 0 && ahead > -centre) {
		gate_behind(vocoder->gated, n, centre + behind, vocoder->fade);
		gate_behind(vocoder->shape, n,
			    centre + (place > ahead ? place : ahead) + vocoder->strike,
			    vocoder->fade);
	}
}

/* Computes the window of this frame, and the shape of its grain. */
static WEIR_REALTIME void shape_frame(struct vocoder *vocoder)
{
	const struct vocoder_frame *now = &vocoder->now;
	const uint32_t centre = VOCODER_BEFORE * vocoder->hop, max = vocoder->n - centre;
	const uint32_t reach = (uint32_t)(VOCODER_REACH * now->speed * (float)vocoder->hop);
	const uint32_t fall = min_u32(reach - STRETCH_TAPS / 2 - 1, max);
	const uint32_t rise = min_u32(now->place - vocoder->stretch.open, fall);
	const uint32_t from = centre - rise;
	const float per_rise = 1.0f / (float)rise, per_fall = 1.0f / (float)fall;

	vocoder->is_gated = false;
	memcpy(vocoder->gated, vocoder->window, vocoder->n * sizeof(float));
	memset(vocoder->shape, 0, vocoder->n * sizeof(float));
	for (uint32_t i = 0; i < rise; i++)
		vocoder->shape[from + i] =
			vocoder->unwindow[from + i] * smooth_step(((float)i + 0.5f) * per_rise);
	for (uint32_t i = 0; i < fall; i++)
		vocoder->shape[centre + i] = vocoder->unwindow[centre + i] *
					     smooth_step(1.0f - ((float)i + 0.5f) * per_fall);

	for (uint32_t i = 0; i < ONSET_MAX && now->work == VOCODER_SHIFT; i++)
		if (i < vocoder->onsets.n_found && vocoder->onsets.found[i].strong)
			gate_onset(vocoder, &vocoder->onsets.found[i]);
}

WEIR_REALTIME void vocoder_begin(struct vocoder *vocoder, const struct vocoder_frame *frame)
{
	float *oldest = vocoder->power[VOCODER_MEMORY];
	float *phase = vocoder->phase_before;

	vocoder->before = vocoder->now;
	vocoder->now = *frame;
	for (int i = VOCODER_MEMORY; i > 0; i--)
		vocoder->power[i] = vocoder->power[i - 1];
	vocoder->power[0] = oldest;
	vocoder->phase_before = vocoder->phase;
	vocoder->phase = phase;
	for (uint32_t c = 0; c < vocoder->n_channels; c++) {
		fftwf_complex *spectrum = vocoder->spectrum_before[c];

		vocoder->spectrum_before[c] = vocoder->spectrum[c];
		vocoder->spectrum[c] = spectrum;
	}
	if (frame->work != VOCODER_SHIFT)
		memset(vocoder->power[0], 0, vocoder->n_bins * sizeof(float));
}

static WEIR_SIMD WEIR_REALTIME void take_window(struct vocoder *vocoder, uint32_t channel)
{
	const float *input = vocoder->now.input[channel];

	for (uint32_t i = 0; i < vocoder->n; i++)
		vocoder->grain[channel][i] = input[i] * vocoder->gated[i];
}

static WEIR_SIMD WEIR_REALTIME void find_power(struct vocoder *vocoder)
{
	float *power = vocoder->power[0];

	memset(power, 0, vocoder->n_bins * sizeof(float));
	for (uint32_t c = 0; c < vocoder->n_channels; c++) {
		fftwf_complex *x = vocoder->spectrum[c];

		for (uint32_t k = 0; k < vocoder->n_bins; k++)
			power[k] += x[k][0] * x[k][0] + x[k][1] * x[k][1];
	}
}

/* Bins that stay below half the rate when the buffer is read. */
static WEIR_REALTIME uint32_t audible_bins(const struct vocoder *vocoder)
{
	const float speed = vocoder->now.speed > 1.0f ? vocoder->now.speed : 1.0f;

	return (uint32_t)((float)(vocoder->n_bins - 1) / speed);
}

/* Without branches: a processor cannot predict which bins are peaks. */
static WEIR_REALTIME void find_peaks(struct vocoder *vocoder)
{
	const float *p = vocoder->power[0];
	const uint32_t n_bins =
		vocoder->now.keep_formants ? vocoder->n_bins : audible_bins(vocoder);
	uint32_t n = 0;

	for (uint32_t k = 1; k < n_bins - 2; k++) {
		const uint32_t second = k < 2 ? 0 : k - 2;

		vocoder->peak[n] = k;
		n += (uint32_t)(p[k] > p[k - 1]) & (uint32_t)(p[k] >= p[k + 1]) &
		     (uint32_t)(p[k] > p[second]) & (uint32_t)(p[k] >= p[k + 2]);
	}
	if (n == 0)
		vocoder->peak[n++] = 1;
	vocoder->n_peaks = n;
}

/* The cycles by which the phase of bin 1 advances from the frame before. */
static WEIR_REALTIME double cycles_of_bin(const struct vocoder *vocoder)
{
	return (double)(vocoder->now.centre - vocoder->before.centre) / vocoder->n;
}

/* The phase of a peak restarts in the first frame and at an attack that raises the peak. */
static WEIR_REALTIME bool is_new(const struct vocoder *vocoder, uint32_t p)
{
	return vocoder->before.work != VOCODER_SHIFT ||
	       (vocoder->now.attack &&
		vocoder->power[0][p] >= ROSE * vocoder->power[VOCODER_MEMORY][p]);
}

/* For every peak: X_u(p) conj X_{u-1}(p) summed over the channels, and theta_{u-1}. */
static WEIR_REALTIME void gather_peaks(struct vocoder *vocoder)
{
	for (uint32_t i = 0; i < vocoder->n_peaks; i++) {
		const uint32_t p = vocoder->peak[i];
		float re = 0.0f, im = 0.0f;

		for (uint32_t c = 0; c < vocoder->n_channels; c++) {
			const float *x = vocoder->spectrum[c][p];
			const float *y = vocoder->spectrum_before[c][p];

			re += x[0] * y[0] + x[1] * y[1];
			im += x[1] * y[0] - x[0] * y[1];
		}
		vocoder->cross[i][0] = re;
		vocoder->cross[i][1] = im;
		vocoder->peak_phase[i] = vocoder->phase_before[p];
	}
}

/* omega and theta of the peaks. */
static WEIR_SIMD WEIR_REALTIME void advance_peaks(struct vocoder *vocoder)
{
	const struct vocoder_frame *now = &vocoder->now, *before = &vocoder->before;
	const double step = (double)(now->centre - before->centre);
	const double extra = (double)(int32_t)(now->place - before->place) - step;
	const double cycles = cycles_of_bin(vocoder), per_bin = extra / vocoder->n;
	fftwf_complex *cross = vocoder->cross;
	float *off = vocoder->peak_off, *phase = vocoder->peak_phase;

	gather_peaks(vocoder);
	for (uint32_t i = 0; i < vocoder->n_peaks; i++)
		off[i] = partials_off(cross[i][0], cross[i][1], vocoder->peak[i], cycles);
	for (uint32_t i = 0; i < vocoder->partials.n_now; i++)
		off[i] = vocoder->partials.now[i].frequency - (float)vocoder->peak[i];
	for (uint32_t i = 0; i < vocoder->n_peaks; i++) {
		const double at = (double)(int32_t)vocoder->peak[i] + (double)off[i];

		phase[i] = phase_wrap((double)phase[i] + at * per_bin) * now->keep_phase;
	}
	for (uint32_t i = 0; i < vocoder->n_peaks; i++)
		if (is_new(vocoder, vocoder->peak[i]))
			off[i] = phase[i] = 0.0f;
}

/* Midway to the next peak, or the end behind the last one. */
static WEIR_REALTIME uint32_t region_end(const struct vocoder *vocoder, uint32_t i)
{
	return i + 1 == vocoder->n_peaks ? vocoder->n_bins
					 : (vocoder->peak[i] + vocoder->peak[i + 1] + 1) / 2;
}

/* partials.c knows the spectrum of the plain window only, not that of a gated one. */
static WEIR_REALTIME void find_partials(struct vocoder *vocoder)
{
	if (vocoder->is_gated || vocoder->before.work != VOCODER_SHIFT)
		partials_skip(&vocoder->partials);
	else
		partials_find(&vocoder->partials, vocoder->peak, vocoder->n_peaks,
			      vocoder->spectrum, vocoder->spectrum_before, cycles_of_bin(vocoder));
}

/* The grain of the first channel is free between its FFT and its inverse. */
static WEIR_REALTIME void correlate(struct vocoder *vocoder)
{
	formant_compress(&vocoder->formant, vocoder->power[0], vocoder->rotated);
	weir_fft_inverse(&vocoder->fft, vocoder->rotated, vocoder->grain[0]);
}

static WEIR_REALTIME void find_formants(struct vocoder *vocoder)
{
	formant_find_spacing(&vocoder->formant, vocoder->grain[0]);
	formant_find_envelope(&vocoder->formant, vocoder->power[0], vocoder->peak,
			      vocoder->n_peaks);
}

/*
 * Rotates the bins from k to end by one phase. Writes whole chunks, without a branch for their end;
 * the next region overwrites what lies behind it.
 */
static WEIR_REALTIME void rotate_region(struct vocoder *vocoder, uint32_t k, uint32_t end,
					float phase, float scale)
{
	float phasor[2];

	phasor_set(phasor, phase, scale);
	for (; k < end; k += VOCODER_CHUNK)
		for (uint32_t j = 0; j < VOCODER_CHUNK; j++) {
			vocoder->phase[k + j] = phase;
			vocoder->phasor[k + j][0] = phasor[0];
			vocoder->phasor[k + j][1] = phasor[1];
		}
}

/* The gain of each region that keeps the formants. */
static WEIR_REALTIME void find_gains(struct vocoder *vocoder)
{
	for (uint32_t i = 0; i < vocoder->n_peaks; i++) {
		const float off = min_f32(max_f32(vocoder->peak_off[i], -MAX_OFF), MAX_OFF);

		vocoder->peak_gain[i] = formant_gain(
			&vocoder->formant, (float)vocoder->peak[i] + off, vocoder->now.speed);
	}
}

static WEIR_REALTIME void rotate_peaks(struct vocoder *vocoder)
{
	for (uint32_t i = 0, k = 0; i < vocoder->n_peaks; i++) {
		const float gain = vocoder->now.keep_formants ? vocoder->peak_gain[i] : 1.0f;
		const uint32_t end = region_end(vocoder, i);

		rotate_region(vocoder, k, end, vocoder->peak_phase[i], gain / (float)vocoder->n);
		k = end;
	}

	const uint32_t audible = audible_bins(vocoder);

	memset(vocoder->phasor + audible, 0, (vocoder->n_bins - audible) * sizeof(fftwf_complex));
}

struct powers {
	float before, after; /* the rotation */
};

/* The powers of one channel. Each weight comes twice: for the real and the imaginary part. */
static WEIR_SIMD WEIR_REALTIME struct powers find_powers(const float *bins, const float *weight,
							 uint32_t n)
{
	const uint32_t whole = n / 8 * 8;
	weir_lanes before = { 0.0f }, after = { 0.0f };

	for (uint32_t i = 0; i < whole; i += 8) {
		const weir_lanes x = *(const weir_lanes *)(bins + i);

		before += x * x;
		after += x * x * *(const weir_lanes *)(weight + i);
	}

	struct powers powers = { weir_lanes_sum(&before), weir_lanes_sum(&after) };

	for (uint32_t i = whole; i < n; i++) {
		powers.before += bins[i] * bins[i];
		powers.after += bins[i] * bins[i] * weight[i];
	}
	return powers;
}

/* The maximum of the power after the rotation over the power before. */
static WEIR_REALTIME float max_power_ratio(const struct vocoder *vocoder)
{
	const float by_speed = vocoder->is_gated || vocoder->now.attack ? MAX_POWER_RATIO_ATTACK
									: MAX_POWER_RATIO_STEADY;

	return min_f32(MAX_POWER_RATIO, by_speed * vocoder->now.speed);
}

/*
 * The envelope is not defined between partials, and may raise noise there by 40 dB. Scales all
 * phasors down if the frame would become too loud, either in the sum of the channels or in the
 * loudest one: raised bins may be in one channel, and lowered ones in another.
 */
static WEIR_SIMD WEIR_REALTIME void bound_power(struct vocoder *vocoder)
{
	const float scale = (float)vocoder->n * (float)vocoder->n;
	fftwf_complex *phasor = vocoder->phasor, *weight = vocoder->rotated;
	struct powers sum = { 0.0f, FLT_MIN }, loudest = sum;

	for (uint32_t k = 0; k < vocoder->n_bins; k++)
		weight[k][0] = weight[k][1] =
			scale * (phasor[k][0] * phasor[k][0] + phasor[k][1] * phasor[k][1]);
	for (uint32_t c = 0; c < vocoder->n_channels; c++) {
		const struct powers powers =
			find_powers(vocoder->spectrum[c][0], weight[0], 2 * vocoder->n_bins);

		sum.before += powers.before;
		sum.after += powers.after;
		loudest.before = max_f32(loudest.before, powers.before);
		loudest.after = max_f32(loudest.after, powers.after);
	}

	const float louder = max_f32(sum.after / sum.before, loudest.after / loudest.before);
	const float max = sqrtf(max_power_ratio(vocoder) / louder);

	if (max < 1.0f)
		for (uint32_t k = 0; k < vocoder->n_bins; k++) {
			phasor[k][0] *= max;
			phasor[k][1] *= max;
		}
}

static WEIR_SIMD WEIR_REALTIME void rotate(struct vocoder *vocoder, uint32_t channel)
{
	fftwf_complex *x = vocoder->spectrum[channel], *y = vocoder->rotated;
	fftwf_complex *phasor = vocoder->phasor;

	for (uint32_t k = 0; k < vocoder->n_bins; k++) {
		y[k][0] = x[k][0] * phasor[k][0] - x[k][1] * phasor[k][1];
		y[k][1] = x[k][0] * phasor[k][1] + x[k][1] * phasor[k][0];
	}
	partials_rotate(&vocoder->partials, channel, phasor, y);
	y[0][1] = 0.0f;
	y[vocoder->n_bins - 1][1] = 0.0f;
}

/* The part of `shape` that is not 0 may not begin before the first open place. */
static WEIR_SIMD WEIR_REALTIME void add_grain(struct vocoder *vocoder, float *restrict sum,
					      const float *restrict grain)
{
	const uint32_t centre = VOCODER_BEFORE * vocoder->hop;
	const uint32_t open = vocoder->now.place - vocoder->stretch.open;
	const uint32_t first = open < centre ? centre - open : 0;

	sum += open < centre ? 0 : open - centre;
	for (uint32_t i = first; i < vocoder->n; i++)
		sum[i - first] += grain[i] * vocoder->shape[i];
}

static WEIR_REALTIME void run_analysis_stage(struct vocoder *vocoder, uint32_t channel,
					     uint32_t stage)
{
	if (stage == 0)
		take_window(vocoder, channel);
	else if (vocoder->now.work == VOCODER_SHIFT)
		weir_fft_forward(&vocoder->fft, vocoder->grain[channel],
				 vocoder->spectrum[channel]);
}

static WEIR_REALTIME void run_rotate_stage(struct vocoder *vocoder, uint32_t stage)
{
	if (stage == 0) {
		find_power(vocoder);
		find_peaks(vocoder);
	} else if (stage == 1) {
		find_partials(vocoder);
	} else if (stage == 4) {
		advance_peaks(vocoder);
	} else if (stage == 5) {
		if (vocoder->now.keep_formants)
			find_gains(vocoder);
		rotate_peaks(vocoder);
		if (vocoder->now.keep_formants)
			bound_power(vocoder);
	} else if (vocoder->now.keep_formants && stage == 2) {
		correlate(vocoder);
	} else if (vocoder->now.keep_formants) {
		find_formants(vocoder);
	}
}

static WEIR_REALTIME void run_synthesis_stage(struct vocoder *vocoder, uint32_t channel,
					      uint32_t stage)
{
	if (stage == 2)
		add_grain(vocoder, vocoder->stretch.grain[channel], vocoder->grain[channel]);
	else if (vocoder->now.work != VOCODER_SHIFT)
		return;
	else if (stage == 0)
		rotate(vocoder, channel);
	else
		weir_fft_inverse(&vocoder->fft, vocoder->rotated, vocoder->grain[channel]);
}

WEIR_REALTIME void vocoder_run_stage(struct vocoder *vocoder, uint32_t stage)
{
	const uint32_t rotate = 1 + vocoder->n_channels * ANALYSIS_STAGES;
	const uint32_t synthesis = rotate + ROTATE_STAGES;

	if (vocoder->now.work == VOCODER_SILENT)
		return;
	if (stage == 0) {
		shape_frame(vocoder);
		add_grain(vocoder, vocoder->stretch.weight, vocoder->gated);
	} else if (stage < rotate) {
		run_analysis_stage(vocoder, (stage - 1) / ANALYSIS_STAGES,
				   (stage - 1) % ANALYSIS_STAGES);
	} else if (stage < synthesis) {
		if (vocoder->now.work == VOCODER_SHIFT)
			run_rotate_stage(vocoder, stage - rotate);
	} else {
		run_synthesis_stage(vocoder, (stage - synthesis) / SYNTHESIS_STAGES,
				    (stage - synthesis) % SYNTHESIS_STAGES);
	}
}
