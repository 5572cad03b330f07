/* SPDX-License-Identifier: MIT */
#ifndef WEIR_METER_H
#define WEIR_METER_H

#include "true_peak.h"
#include "weighting.h"

/* Fields, each with a value per channel. */
enum {
	METER_PEAK,
	METER_PEAK_MAX,
	METER_TP,
	METER_TP_MAX,
	METER_RMS,
	METER_CREST,
	METER_LAF,
	METER_LAS,
	METER_LCF,
	METER_LCS,
	METER_LZF,
	METER_LZS,
	METER_LAF_MAX,
	METER_LAS_MAX,
	METER_LCF_MAX,
	METER_LCS_MAX,
	METER_LZF_MAX,
	METER_LZS_MAX,
	METER_CLIPS,
	METER_FIELDS,
};

#define METER_CHANNELS 8
#define METER_RECENT 20 /* hops */

/* Levels of all weightings, side by side for SIMD. */
struct meter_levels {
	double state[WEIGHTING_SECTIONS][2][WEIGHTINGS];
	double fast[WEIGHTINGS], slow[WEIGHTINGS]; /* mean squares */
	double fast_max[WEIGHTINGS], slow_max[WEIGHTINGS];
	double sum[WEIGHTINGS]; /* of squares in this hop */
};

/* Runs of samples at full scale. */
struct meter_clip {
	uint32_t n;	 /* runs of two or more since the reset */
	uint32_t length; /* 0, 1, or 2 and more */
	int32_t begin;	 /* frame at which the run began, relative to this hop */
};

struct meter_channel {
	struct meter_levels levels;
	struct meter_clip clip;
	struct true_peak true_peak;
	float peak, peak_max, tp, tp_max; /* amplitudes */
	double energy;			  /* mean square of the latest hop, K-weighted */
	float recent_peak[METER_RECENT];
	float recent_square[METER_RECENT]; /* mean squares */
};

/*
 * Sample peak, true peak, RMS, and the levels of IEC 61672-1, class 1: A and C within 0.1 dB from
 * 20 Hz to 16 kHz or 0.4 of the rate, whichever is lower. No level is below -200 dB.
 *
 * A run of two or more consecutive samples at METER_CLIPPED or above is one clip, counted at the
 * second sample.
 */
#define METER_CLIPPED 0.9999f /* below 32767 / 32768, full scale of 16 bits */

struct meter {
	uint32_t rate;
	uint32_t n_channels;
	uint32_t n_frames; /* of this hop so far */
	uint32_t recent;   /* index of the latest hop in the rings recent_* */
	struct weighting weighting;
	double fast, slow; /* coefficients of the time weightings, per frame */
	struct true_peak_tables true_peak;
	int32_t clipped; /* the first clipped frame of the hop, INT32_MAX: none */
	float clipped_seconds;
	struct meter_channel channel[METER_CHANNELS];
};

/* Call meter_reset next. */
void meter_init(struct meter *meter, uint32_t rate, uint32_t n_channels);

WEIR_REALTIME void meter_reset(struct meter *meter);

/* Takes n frames of every channel, never across the end of a hop. */
WEIR_REALTIME void meter_run(struct meter *meter, float *const in[], uint32_t n);

/*
 * At the end of a hop: value[field * n_channels + channel]. calibration is added to all but peaks
 * and crest.
 */
WEIR_REALTIME void meter_hop(struct meter *meter, float calibration, float *value);

/* The mean square of a channel in the latest hop, K-weighted (ITU-R BS.1770). */
WEIR_REALTIME double meter_energy(const struct meter *meter, uint32_t channel);

/* At the end of a hop: seconds since the first clip of the hop; NaN: no channel clipped. */
WEIR_REALTIME float meter_clipped(const struct meter *meter);

/*
 * The sample peak in dB and the RMS of the loudest channel over the last METER_RECENT hops; the
 * time before the start counts as silence.
 */
WEIR_REALTIME void meter_recent(const struct meter *meter, float calibration, float *peak,
				float *rms);

/* Resets the maxima and the number of clips. */
WEIR_REALTIME void meter_forget(struct meter *meter);

#endif
