#!/bin/sh
# The kernels on aarch64, in an emulator, give what they give here. Installs the emulator and a C library if they are missing.
set -eu

directory=$1
rounds=${2:-100}
missing=""
for package in qemu-user libc6-dev-arm64-cross libgcc-12-dev-arm64-cross lld; do
    [ "$package" = lld ] && command -v ld.lld >/dev/null 2>&1 && continue
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "installing:$missing"
    $sudo apt-get update -qq
    # shellcheck disable=SC2086  # one argument for each package
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

flags="-O2 -Wall -Wextra -Wno-psabi -ISources/CSiltKernels/include -ITests/Benchmarks/Kernels"
sources="Sources/CSiltKernels/*.c Tests/Benchmarks/Kernels/data.c Tests/Kernels/digest.c"
mkdir -p "$directory"
# shellcheck disable=SC2086  # flags and patterns are several arguments
clang $flags $sources -lm -o "$directory/digest"
lib=/usr/aarch64-linux-gnu/lib
gcc=$(echo /usr/lib/gcc-cross/aarch64-linux-gnu/*)
objects=""
for source in $sources; do
    object=$directory/$(basename "$source" .c).o
    # shellcheck disable=SC2086
    clang --target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include $flags -c "$source" -o "$object"
    objects="$objects $object"
done
# shellcheck disable=SC2086
ld.lld -static -o "$directory/digest-aarch64" $lib/crt1.o $lib/crti.o "$gcc/crtbeginT.o" $objects \
    --start-group $lib/libc.a $lib/libm.a "$gcc/libgcc.a" "$gcc/libgcc_eh.a" --end-group "$gcc/crtend.o" $lib/crtn.o

here=$("$directory/digest" "$rounds")
there=$(qemu-aarch64 "$directory/digest-aarch64" "$rounds")
echo "here $here, aarch64 $there"
[ "$here" = "$there" ]
