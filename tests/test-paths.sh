#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The units give the same floats whatever instructions of x86-64 the compiler takes, and sound alike
# on 64-bit ARM (under qemu).
set -eu
cd "$(dirname "$0")"/..
. tests/arm.sh

flags="-iquote . -std=gnu11 -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math"
sources="tests/render.c dsp/*.c dsp/*/*.c"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# build PROGRAM COMPILER-AND-FLAGS... [-- LIBRARY-FLAGS...]
build() {
	local program=$1 compiler=()
	shift
	while [ $# != 0 ] && [ "$1" != -- ]; do
		compiler+=("$1")
		shift
	done
	shift || true
	# shellcheck disable=SC2086
	"${compiler[@]}" $flags -DWEIR_UNIT_LISTS=weir_dsp_units -o "$folder/$program" $sources "${@:--lfftw3f_threads}" -lfftw3f -lm -pthread
}

if [ "$(uname -m)" != x86_64 ]; then
	echo "skipped: this is no x86-64"
	exit 77
fi

echo "as it is built, and for AVX2 and the least of x86-64 alone:"
build render "${CC:-cc}"
build least "${CC:-cc}" -DWEIR_SIMD=
"$folder/render" "$folder/sound"
"$folder/least" "$folder/sound" same
if grep -qw avx2 /proc/cpuinfo; then
	build avx2 "${CC:-cc}" -mavx2
	"$folder/avx2" "$folder/sound" same
fi

echo "64-bit ARM:"
for program in aarch64-linux-gnu-gcc qemu-aarch64; do
	command -v $program >/dev/null && continue
	echo "skipped: $program is not installed"
	exit 77
done
if ! arm_fetch_fftw "$folder"; then
	echo "skipped: FFTW for ARM could not be had: $(tail -n 1 "$folder/fetch.log")"
	exit 77
fi
build on-arm aarch64-linux-gnu-gcc -static -isystem "$folder/arm" -- "-L$folder/arm" -lfftw3f_threads
qemu-aarch64 "$folder/on-arm" "$folder/sound" alike
