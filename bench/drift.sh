#!/bin/sh
# Does a generator that sees its own last output drift over a minute? The demo's dance of 8 seconds ends where it begins.
# A model is trained (with the previous output, or without) and dances it eight times in a row; each turn is compared with
# the second one, pose by pose (the first one begins from nothing), and with the truth. Three tables: with the same poses
# in every turn, so that nothing but the generator's memory and the encoder can differ; with poses found in the whole long
# clip; and the truth itself, repeated: what the encoder alone does.
# usage: bench/drift.sh FOLDER [STEPS] [on|off]   (training steps; what is in the folder is used again)
set -eu
here=$(cd "$(dirname "$0")/../build/release/bin" && pwd)
dir=$1
steps=${2:-600}
previous=${3:-on}
turns=8

"$here/bench_pair" film "$dir" 0
[ -f "$dir/once.json" ] || "$here/ballerino" pose "$dir/source.mp4" -q -o "$dir/once.json" >&2
[ -f "$dir/long.json" ] || "$here/bench_pair" repeat "$dir/once.json" $turns "$dir/long.json"
[ -f "$dir/long.mp4" ] || "$here/bench_pair" repeat "$dir/source.mp4" $turns "$dir/long.mp4"
[ -f "$dir/repeated.mp4" ] || "$here/bench_pair" repeat "$dir/truth.mp4" $turns "$dir/repeated.mp4"

model=$dir/$previous.ballerino
[ -f "$model" ] || "$here/ballerino" train "$dir/target.mp4" -q --steps "$steps" --previous "$previous" --refine none \
    --consent "a generated dancer: nobody is shown" -o "$model" >&2
[ -f "$dir/$previous-same.mp4" ] || "$here/ballerino" transfer -q -m "$model" -s "$dir/long.mp4" \
    --source-track "$dir/long.json" -o "$dir/$previous-same.mp4" >&2
[ -f "$dir/$previous.mp4" ] || "$here/ballerino" transfer -q -m "$model" -s "$dir/long.mp4" -o "$dir/$previous.mp4" >&2
for clip in $previous-same $previous repeated; do
    echo "$clip"
    "$here/bench_pair" drift "$dir/$clip.mp4" "$dir/truth.mp4"
done
