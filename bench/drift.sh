#!/bin/sh
# Does a generator that sees its own last output drift over a minute? The demo's dance of 8 seconds ends where it begins:
# a model trained with the previous output dances it eight times in a row, and each turn is compared with the second one,
# pose by pose (the first one begins from nothing), and with the truth. The last table is the truth's own, repeated the
# same way: what encoding alone does.
# usage: bench/drift.sh FOLDER [STEPS] [on|off]   (training steps; what is in the folder is used again)
set -eu
here=$(cd "$(dirname "$0")/../build/release/bin" && pwd)
dir=$1
steps=${2:-600}
previous=${3:-on}
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000}

turns=8
"$here/bench_pair" film "$dir" 0
[ -f "$dir/long.mp4" ] || "$here/bench_pair" repeat "$dir/source.mp4" $turns "$dir/long.mp4"
[ -f "$dir/repeated.mp4" ] || "$here/bench_pair" repeat "$dir/truth.mp4" $turns "$dir/repeated.mp4"
model=$dir/$previous.ballerino
made=$dir/$previous.mp4
[ -f "$model" ] || "$here/ballerino" train "$dir/target.mp4" -q --steps "$steps" --previous "$previous" --refine none \
    --consent "a generated dancer: nobody is shown" -o "$model" >&2
[ -f "$made" ] || "$here/ballerino" transfer -q -m "$model" -s "$dir/long.mp4" -o "$made" >&2
for clip in "$made" "$dir/repeated.mp4"; do
    "$here/bench_pair" drift "$clip" "$dir/truth.mp4"
done
