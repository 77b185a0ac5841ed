#!/bin/sh
# Makes ./configure from configure.ac.  Run once after cloning, and after changing build files.
set -e
cd "$(dirname "$0")"
if ! command -v autoreconf >/dev/null 2>&1; then
    echo "boot.sh: autoreconf is missing: install autoconf and automake" \
         "(Debian: apt-get install autoconf automake, Fedora: dnf install autoconf automake)" >&2
    exit 1
fi
mkdir -p m4
exec autoreconf --install --warnings=all,no-obsolete,no-portability
