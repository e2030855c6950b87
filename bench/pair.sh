#!/bin/sh
# Trained pairs of generated dancers of very different build: each target learns from its own clip, dances the other
# one's dance with and without retargeting by limbs, and is compared with the rendered truth. The last row drives the
# model by the truth's own poses: what it would make if retargeting were perfect.
# usage: bench/pair.sh FOLDER [STEPS]   (training steps a stage; what is in the folder is used again)
set -eu
here=$(cd "$(dirname "$0")/../build/release/bin" && pwd)
folder=$1
steps=${2:-1200}

dance() { # dance NAME SOURCE OPTIONS...
    made=$dir/$1.mp4
    source=$dir/$2.mp4
    shift 2
    [ -f "$made" ] || "$here/ballerino" transfer -q -m "$dir/model.ballerino" -s "$source" -o "$made" "$@" >&2
}
for pair in 2 3; do
    dir=$folder/pair$pair
    "$here/bench_pair" film "$dir" $pair
    [ -f "$dir/model.ballerino" ] || "$here/ballerino" train "$dir/target.mp4" -q --steps "$steps" \
        --consent "a generated dancer: nobody is shown" -o "$dir/model.ballerino" >&2
    dance global source
    dance limbs source --retarget limbs
    dance perfect truth --normalise none
    "$here/bench_pair" picture "$dir/picture.png" 60 "$dir/source.mp4" "$dir/global.mp4" "$dir/limbs.mp4" \
        "$dir/perfect.mp4" "$dir/truth.mp4"
    [ $pair = 2 ] && echo "child to tall adult" || echo "tall adult to child"
    echo "| poses | body SSIM | PSNR dB | face SSIM | pose distance: body | all | missed |"
    echo "|---|---|---|---|---|---|---|"
    "$here/bench_pair" judge global "$dir/global.mp4" "$dir/truth.mp4"
    "$here/bench_pair" judge limbs "$dir/limbs.mp4" "$dir/truth.mp4"
    "$here/bench_pair" judge "the truth's own" "$dir/perfect.mp4" "$dir/truth.mp4"
done
