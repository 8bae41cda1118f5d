#!/bin/sh
# Makes a small toolchain from Debian's cross compiler: sdk.sh DIR. Except for its place it is the real one. A test
# can remove any part of it. Its libc has only the files that a C program needs, so that copying is quick.
set -eu
sdk=$1
tuple=arm-linux-gnueabi
own=$(dirname "$($tuple-gcc -print-libgcc-file-name)")
libc=/usr/$tuple

mkdir -p "$sdk/bin" "$sdk/lib/gcc-cross/$tuple" "$sdk/$tuple/lib"
# GCC finds its parts beside the file that was started, so a symlink does not work.
cp -L "/usr/bin/$tuple-gcc" "$sdk/bin/"
cp -rs "$own" "$sdk/lib/gcc-cross/$tuple/"
mkdir "$sdk/$tuple/bin"
for tool in as ld; do
	ln -s "/usr/bin/$tuple-$tool" "$sdk/$tuple/bin/$tool"
done

headers=$(echo '#include <stdio.h>' | $tuple-gcc -M -x c - | tr ' ' '\n' | sed -n "s@^$libc/\(include/\)@\1@p")
cd "$libc"
# Each of these paths is a word.
# shellcheck disable=SC2086
cp --parents $headers "$sdk/$tuple"
cd lib
cp Scrt1.o crt1.o crti.o crtn.o ld-linux.so.3 libc.so.6 libc_nonshared.a libgcc_s.so.1 "$sdk/$tuple/lib"
sed "s@$libc/@$sdk/$tuple/@g" "$libc/lib/libc.so" > "$sdk/$tuple/lib/libc.so"
