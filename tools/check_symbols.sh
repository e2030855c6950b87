#!/bin/sh
# Every global symbol of our libraries starts with bl_, and a module that is loaded at run time has one. usage: tools/check_symbols.sh BUILD
set -eu
libs=$(find "$1" -name 'libbl_*.a')
[ "$(echo "$libs" | wc -w)" -ge 8 ] || { echo "no libraries in $1: build first"; exit 1; }
bad=$(nm -A --defined-only -g $libs | awk 'NF >= 3 && $(NF-1) ~ /^[A-Z]$/ && $NF !~ /^(bl_|__odr_asan|__asan|__ubsan|__sanitizer|__start|__stop)/ { print }')
if [ -n "$bad" ]; then
    echo "global symbols that do not start with bl_:"
    echo "$bad"
    exit 1
fi
for module in "$1"/bin/libballerino-*.so; do
    [ -e "$module" ] || continue
    case $module in
    *-mpi*) own=bl__dist_module ;;
    *-emulated*) own='bl__device_module bl__emulated' ;; # the tests' own
    *) own=bl__device_module ;;
    esac
    given=$(nm -D --defined-only "$module" | awk '{ print $NF }' | sort | xargs)
    [ "$given" = "$own" ] || { echo "$module gives away:"; echo "$given"; exit 1; }
done
echo "symbols: all start with bl_"
