#!/bin/sh
# Makes ./configure from configure.ac.  Run once after cloning, and after changing build files.
set -e
cd "$(dirname "$0")"
if ! command -v autoreconf >/dev/null 2>&1 || ! command -v libtoolize >/dev/null 2>&1; then
    echo "boot.sh: autoreconf or libtoolize is missing: install autoconf, automake, libtool" \
         "(Debian: apt-get install autoconf automake libtool, Fedora: dnf install autoconf automake libtool)" >&2
    exit 1
fi
mkdir -p m4
exec autoreconf --install --warnings=all,no-obsolete,no-portability
