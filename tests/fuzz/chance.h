/* SPDX-License-Identifier: MIT */
#ifndef WEIR_FUZZ_CHANCE_H
#define WEIR_FUZZ_CHANCE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* Random numbers that are the same on every machine: splitmix64 (S. Vigna). */
struct chance {
	uint64_t state;
};

static inline uint64_t chance_bits(struct chance *chance)
{
	uint64_t x = chance->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* 0 to n - 1. */
static inline uint32_t chance_below(struct chance *chance, uint32_t n)
{
	return (uint32_t)((chance_bits(chance) >> 32) * n >> 32);
}

static inline bool chance_one_in(struct chance *chance, uint32_t n)
{
	return chance_below(chance, n) == 0;
}

static inline double chance_between(struct chance *chance, double from, double to)
{
	return from + (to - from) * (double)(chance_bits(chance) >> 11) / 9007199254740992.0;
}

/* Evenly spread in its logarithm. */
static inline double chance_log(struct chance *chance, double from, double to)
{
	return exp(chance_between(chance, log(from), log(to)));
}

#define CHANCE_OF(chance, array) ((array)[chance_below(chance, sizeof(array) / sizeof((array)[0]))])

#endif
