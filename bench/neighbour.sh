#!/bin/sh
# A good neighbour: how much longer a training step takes beside one busy process on each core than alone. Fair sharing
# is a factor of two; threads that spin while they wait would make it ten. usage: neighbour.sh [draft|reference] [STEPS] [ROUNDS]
# Exit code 1: beyond the limit of 2.5.
set -eu
cd "$(dirname "$0")/.."
net=${1:-draft} steps=${2:-15} rounds=${3:-3}
bench=build/release/bin/bench_nn
[ -x "$bench" ] || { echo "build first (make)" >&2; exit 1; }
busy="" results=""
trap 'for p in $busy; do kill "$p" 2>/dev/null || true; done' EXIT
trap 'exit 130' INT TERM

step() { # milliseconds
    "$bench" train "$net" "$steps" | sed -n 's/.*median \([0-9.]*\) ms.*/\1/p'
}
occupy() {
    for _ in $(seq "$(nproc)"); do
        (while :; do :; done) &
        busy="$busy $!"
    done
}
release() {
    for p in $busy; do kill "$p" && wait "$p" 2>/dev/null || true; done
    busy=""
}
load=$(cut -d' ' -f1 /proc/loadavg)
for round in $(seq "$rounds"); do
    alone=$(step)
    occupy
    beside=$(step)
    release
    results="$results$alone $beside
"
done
printf %s "$results" | awk -v net="$net" -v load="$load" '
    { a[NR] = $1; b[NR] = $2; r[NR] = $2 / $1 }
    function median(x, n,   i, j, t) {
        for (i = 1; i < n; i++) for (j = i + 1; j <= n; j++) if (x[j] < x[i]) { t = x[i]; x[i] = x[j]; x[j] = t }
        return x[int((n + 1) / 2)]
    }
    END {
        ratio = median(r, NR)
        printf "neighbour: %s step alone %.1f ms, beside one busy process a core %.1f ms, ratio %.2f (limit 2.5; load before %s)\n",
               net, median(a, NR), median(b, NR), ratio, load
        exit ratio > 2.5
    }'
