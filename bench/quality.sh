#!/bin/sh
# Time to quality: how many minutes of training until the held-out end of a generated clip reaches a given SSIM. Schedules
# go by the length of a training, so each length is a training of its own; the time in between is interpolated. To be
# compared between versions and settings on the same idle machine.
# usage: quality.sh [FOLDER] [SSIM] [TRAIN-OPTION]...     e.g. quality.sh /tmp/q 0.86 --perceptual pose
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/build/release/bin
folder=${1:-${TMPDIR:-/tmp}/ballerino-quality} wanted=${2:-0.86}
[ $# -lt 2 ] || shift
[ $# -lt 1 ] || shift
mkdir -p "$folder"
cd "$folder"
[ -f demo/target.mp4 ] || "$bin/ballerino" demo --steps 40 -q -o demo >/dev/null
results=""
for minutes in ${MINUTES:-0.25 0.5 1 2 4}; do
    rm -rf m.ballerino m.ballerino.train
    score=$("$bin/ballerino" train demo/target.mp4 --refine none --consent "a generated dancer" --holdout 0.15 \
        --minutes "$minutes" "$@" -o m.ballerino -q | sed -n 's/^ *model *\([0-9.]*\).*/\1/p')
    echo "$minutes minutes: held-out SSIM of the window $score"
    results="$results$minutes $score
"
done
printf %s "$results" | awk -v wanted="$wanted" '
    { if (!done && $2 >= wanted) { done = 1; t = NR > 1 && $2 > s ? m * exp(log($1 / m) * (wanted - s) / ($2 - s)) : $1 } m = $1; s = $2 }
    END { if (done) printf "SSIM %s after %.2f minutes\n", wanted, t; else printf "SSIM %s is not reached in %s minutes\n", wanted, m }'
