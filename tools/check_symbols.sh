#!/bin/sh
# Every global symbol of our libraries starts with bl_. usage: tools/check_symbols.sh BUILD
set -eu
libs=$(find "$1" -name 'libbl_*.a')
[ "$(echo "$libs" | wc -w)" -ge 8 ] || { echo "no libraries in $1: build first"; exit 1; }
bad=$(nm -A --defined-only -g $libs | awk 'NF >= 3 && $(NF-1) ~ /^[A-Z]$/ && $NF !~ /^(bl_|__odr_asan|__asan|__ubsan|__sanitizer|__start|__stop)/ { print }')
if [ -n "$bad" ]; then
    echo "global symbols that do not start with bl_:"
    echo "$bad"
    exit 1
fi
echo "symbols: all start with bl_"
