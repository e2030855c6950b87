#!/bin/sh
# Whole programs in frames a second: poses with each model, decoding, drawing, encoding, and a transfer from end to end
# without and with hands, face and refiners. The clip is CLIP, or the demo's source. usage: whole.sh [FOLDER]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/build/release/bin
folder=${1:-${TMPDIR:-/tmp}/ballerino-whole}
mkdir -p "$folder"
cd "$folder"
[ -f demo/source.mp4 ] && [ -f demo/target.mp4 ] || "$bin/ballerino" demo --steps 40 -q -o demo >/dev/null
clip=${CLIP:-$folder/demo/source.mp4}
target=${TARGET:-$folder/demo/target.mp4}
consent="a bench"

# Seconds of a command, and frames a second; the number of frames comes from the track.
now() { date +%s.%N; }
rate() { # WHAT START
    awk -v what="$1" -v a="$2" -v b="$(now)" -v n="$frames" 'BEGIN { printf "%s: %.2f s, %.1f frames a second\n", what, b - a, n / (b - a) }'
}
for model in lite full heavy; do
    rm -f t.json
    start=$(now)
    "$bin/ballerino" pose "$clip" --pose-model $model --no-hands --no-face -o t.json -q >/dev/null
    frames=$(grep -o '"t_ms"' t.json | wc -l)
    rate "pose $model" "$start"
done
start=$(now)
"$bin/ballerino" pose "$clip" -o full.json -q >/dev/null
rate "pose full, hands and face" "$start"
"$bin/bench_media" "$clip" full.json encoded.mp4

for model in plain refined; do
    [ "$model" = plain ] && without="--no-hands --no-face --refine none" || without=""
    [ -f $model.ballerino ] || "$bin/ballerino" train "$target" $without --consent "$consent" --steps 100 -o $model.ballerino -q >/dev/null
done
start=$(now)
"$bin/ballerino" transfer -m plain.ballerino -s "$clip" --no-hands --no-face -o plain.mp4 -q >/dev/null
rate "transfer, body only" "$start"
start=$(now)
"$bin/ballerino" transfer -m refined.ballerino -s "$clip" -o refined.mp4 -q >/dev/null
rate "transfer, hands, face and refiners" "$start"
