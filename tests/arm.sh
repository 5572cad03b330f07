# SPDX-License-Identifier: MIT
# shellcheck shell=sh

# arm_fetch_fftw FOLDER: libfftw3f.a, libfftw3f_threads.a and fftw3.h for 64-bit ARM, from the distribution, into FOLDER/arm,
# without making ARM one of the architectures of this machine. What apt says is in FOLDER/fetch.log.
arm_fetch_fftw() {
	mkdir -p "$1/state/lists/partial" "$1/cache/archives/partial"
	(
		cd "$1"
		set -- -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "Dir::State=$1/state" \
			-o "Dir::Cache=$1/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root
		apt-get "$@" update -q
		apt-get "$@" download -q libfftw3-dev
		dpkg-deb -x libfftw3-dev_*.deb arm
		mv arm/usr/include/fftw3.h arm/usr/lib/aarch64-linux-gnu/libfftw3f.a \
			arm/usr/lib/aarch64-linux-gnu/libfftw3f_threads.a arm
	) >"$1/fetch.log" 2>&1
}
