#!/bin/sh
# Installs what building and running Ballerino needs, and only what is missing. Debian 12 and 13; says what it did.
#   tools/setup.sh           libraries and tools to build
#   tools/setup.sh models    also fetches the pose models with the program that was built (build/release)
set -eu
cd "$(dirname "$0")/.."

need="gcc g++ libc6-dev cmake ninja-build pkg-config libdnnl-dev libavformat-dev libavcodec-dev libavutil-dev libswscale-dev
libswresample-dev libjansson-dev zlib1g-dev libcmocka-dev openmpi-bin libopenmpi-dev"
[ "${1:-}" = models ] && need="$need npm ca-certificates"

command -v dpkg-query >/dev/null || { echo "setup: this is not Debian; install by hand:" $need >&2; exit 1; }
missing=""
for package in $need; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
    case $package in # what another package may already give
    npm) command -v npm >/dev/null && continue ;;
    esac
    missing="$missing $package"
done
if [ -n "$missing" ]; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root=sudo
    echo "setup: installing$missing"
    $as_root apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qy --no-install-recommends $missing >/dev/null
fi

if [ "${1:-}" = models ]; then
    program=build/release/bin/ballerino
    [ -x "$program" ] || { echo "setup: build first (make), then fetch the models" >&2; exit 1; }
    list=$("$program" models list)
    echo "$list" | grep -qE 'missing|damaged' || exit 0
    echo "setup: fetching the pose models"
    "$program" models fetch
fi
