/* SPDX-License-Identifier: MIT */

/*
 * The envelope is a straight line, in decibels over frequency, from partial to partial of the
 * voice. That is simpler than a smooth curve or a model of the vocal tract, and meets the
 * formants better than a truncated cepstrum, which blurs them.
 *
 * A peak of the spectrum is no partial if there is a higher one within half of the spacing of
 * the partials. The spacing is the inverse of the period at which the generalised correlation
 *
 *	c(t) = sum over k of |X(k)|^(1/2) cos(2 pi k t / n)
 *
 * has its highest peak (T. Tolonen, M. Karjalainen, "A computationally efficient multipitch
 * analysis model", IEEE Trans. Speech and Audio Processing 8(6), 2000): the root keeps a
 * single strong formant from being taken for the voice. Sounds other than voices have gaps
 * between their partials, with peaks that are leakage of the window; these lie below a
 * skirt on both sides of every partial, and are dropped.
 */

#include "formant.h"

#include <math.h>

#include "dsp/minmax.h"

/*
 * Figures: bench/pitch/score.py --formant --shifts=-7, with half and with twice the value. F is the
 * formant ASD, 3.57 dB; F1 and F2 are the errors of the first two formants, 1.76 and 1.83 %.
 */
#define SHORTEST_PERIOD 0.002 /* of a voice: seconds; no figure from 0.001 to 0.004 */
#define LONGEST_PERIOD 0.016  /* F1 3.51; no figure at 0.03 */
#define UNVOICED_HZ 200.0     /* F 3.45, 3.81 */
#define CRITICAL_HZ 100.0f    /* below 500 Hz (E. Zwicker, 1961); F 3.67, 3.50 */

#define VOICED 0.2f   /* minimum share of c(0) of a voice's peak; F 3.49, 3.76 and F1 3.14 */
#define FAITHFUL 0.8f /* of the highest peak: the period before stays; no figure to 0.4, 0.95 */
#define SHELF 2.8f    /* 12 dB: where a skirt begins below its partial; F 3.53, 3.67 */
#define SKIRT 6.9f    /* 30 dB per critical band; F 3.53, 3.67 */
#define CRITICAL_SHARE 0.2f /* critical band over its frequency (Zwicker); F 3.57, 3.60 */
#define RANGE 1e-9f	    /* of the loudest bin: counts as 0; F1 1.43 at 1e-10, 2.18 at 1e-8 */
#define MIN_LOUDEST 1e-12f  /* minimum power of the loudest bin, for silence */
#define MAX_GAIN 4.6f	    /* natural logarithm: 40 dB; F2 8.88, 1.90 */
#define MIN_GAIN (-7.0f)    /* -61 dB; no figure from -3.5 to -14 */

void formant_init(struct formant *formant, uint32_t rate, uint32_t n)
{
	formant->n_bins = n / 2 + 1;
	formant->shortest = (uint32_t)(SHORTEST_PERIOD * rate);
	formant->longest = min_u32((uint32_t)(LONGEST_PERIOD * rate), n / 2);
	formant->critical = CRITICAL_HZ / (float)rate * (float)n;
	formant->unvoiced = (uint32_t)(UNVOICED_HZ / rate * n);
}

void formant_allocate(struct formant *formant, struct arena *arena)
{
	formant->point = arena_bytes(arena, formant->n_bins * sizeof(struct formant_point));
	formant->envelope = arena_floats(arena, formant->n_bins);
}

WEIR_REALTIME void formant_compress(const struct formant *formant, const float *power,
				    fftwf_complex *bins)
{
	for (uint32_t k = 0; k < formant->n_bins; k++) {
		bins[k][0] = sqrtf(sqrtf(power[k]));
		bins[k][1] = 0.0f;
	}
}

WEIR_REALTIME void formant_reset(struct formant *formant)
{
	formant->period = 0;
	formant->spacing = formant->unvoiced;
}

/* The period of the maximum of the correlation in a range, or 0 if it is not above `height`. */
static WEIR_REALTIME uint32_t find_period(const float *correlation, uint32_t from, uint32_t to,
					  float height)
{
	uint32_t period = 0;

	for (uint32_t t = from; t <= to; t++)
		if (correlation[t] > height) {
			height = correlation[t];
			period = t;
		}
	return period;
}

WEIR_REALTIME void formant_find_spacing(struct formant *formant, const float *correlation)
{
	const uint32_t n = 2 * (formant->n_bins - 1), before = formant->period;
	uint32_t t = formant->shortest, period, kept = 0;

	/* Skip the main lobe around c(0). */
	while (t < formant->longest && correlation[t + 1] < correlation[t])
		t++;
	period = find_period(correlation, t, formant->longest, VOICED * correlation[0]);
	if (before && period)
		kept = find_period(correlation, before - before / 8 > t ? before - before / 8 : t,
				   min_u32(formant->longest, before + before / 8),
				   FAITHFUL * correlation[period]);
	formant->period = kept ? kept : period;
	formant->spacing =
		formant->period ? (n + formant->period / 2) / formant->period : formant->unvoiced;
}

static WEIR_REALTIME bool is_partial(const struct formant *formant, const float *power,
				     const uint32_t *peak, uint32_t n_peaks, uint32_t i)
{
	const uint32_t near = formant->spacing / 2, p = peak[i];

	for (uint32_t j = i; j > 0 && p - peak[j - 1] <= near; j--)
		if (power[peak[j - 1]] > power[p])
			return false;
	for (uint32_t j = i + 1; j < n_peaks && peak[j] - p <= near; j++)
		if (power[peak[j]] > power[p])
			return false;
	return true;
}

/* A peak, at the vertex of a parabola through three bins. */
static WEIR_REALTIME struct formant_point point_at(const float *power, uint32_t peak, float min)
{
	const float *p = power + peak;
	const float a = logf(p[-1] + min), b = logf(p[0] + min), c = logf(p[1] + min);
	const float curve = max_f32(2.0f * b - a - c, 1e-6f);
	const float off = min_f32(max_f32(0.5f * (c - a) / curve, -0.5f), 0.5f);

	return (struct formant_point){ .bin = (float)peak + off,
				       .level = b + 0.25f * (c - a) * off };
}

/* Marks a point that lies below the skirt of a louder one. */
static WEIR_REALTIME void mask(const struct formant *formant, const struct formant_point *loud,
			       struct formant_point *point)
{
	const float width = max_f32(formant->critical, CRITICAL_SHARE * point->bin);

	point->masked =
		point->masked ||
		point->level < loud->level - SHELF - SKIRT * fabsf(point->bin - loud->bin) / width;
}

/* Drops points that louder partials mask: they would come and go from frame to frame. */
static WEIR_REALTIME void drop_masked(struct formant *formant)
{
	struct formant_point *point = formant->point;
	const struct formant_point *loud = &point[0];
	uint32_t n = 0;

	for (uint32_t i = 1; i < formant->n_points; i++) {
		mask(formant, loud, &point[i]);
		loud = point[i].masked ? loud : &point[i];
	}
	loud = &point[formant->n_points - 1];
	for (uint32_t i = formant->n_points - 1; i-- > 0;) {
		mask(formant, loud, &point[i]);
		loud = point[i].masked ? loud : &point[i];
	}
	for (uint32_t i = 0; i < formant->n_points; i++)
		if (!point[i].masked)
			point[n++] = point[i];
	formant->n_points = n;
}

static WEIR_REALTIME void draw_lines(struct formant *formant)
{
	const struct formant_point *last = &formant->point[formant->n_points - 1];
	const struct formant_point *from = &formant->point[0], *to = from;
	float slope = 0.0f;

	for (uint32_t k = 0; k < formant->n_bins; k++) {
		while ((float)k > to->bin && to < last) {
			from = to++;
			slope = (to->level - from->level) / (to->bin - from->bin);
		}
		formant->envelope[k] = (float)k > to->bin
					       ? to->level
					       : from->level + slope * ((float)k - from->bin);
	}
}

WEIR_REALTIME void formant_find_envelope(struct formant *formant, const float *power,
					 const uint32_t *peak, uint32_t n_peaks)
{
	float loudest = MIN_LOUDEST;

	for (uint32_t i = 0; i < n_peaks; i++)
		loudest = max_f32(loudest, power[peak[i]]);
	formant->n_points = 0;
	for (uint32_t i = 0; i < n_peaks; i++)
		if (is_partial(formant, power, peak, n_peaks, i))
			formant->point[formant->n_points++] =
				point_at(power, peak[i], RANGE * loudest);
	drop_masked(formant);
	draw_lines(formant);
}

static WEIR_REALTIME float envelope_at(const struct formant *formant, float bin)
{
	const float at = min_f32(max_f32(bin, 0.0f), (float)(formant->n_bins - 2));
	const uint32_t below = (uint32_t)at;
	const float *e = formant->envelope + below;

	return e[0] + (at - (float)below) * (e[1] - e[0]);
}

WEIR_REALTIME float formant_gain(const struct formant *formant, float bin, float speed)
{
	const float gain = 0.5f * (envelope_at(formant, speed * bin) - envelope_at(formant, bin));

	return expf(min_f32(max_f32(gain, MIN_GAIN), MAX_GAIN));
}
