#!/bin/sh
# Long work stays flat: the peak memory of a transfer from a 10-minute source of 1080x1920 (limit 1.5 GiB) and of a
# training on a 20-minute target of 30 frames a second (limit 3 GiB). The clips are generated dancers, repeated.
# It takes an hour on two cores; shorter clips show how memory grows with them.
# usage: memory.sh [FOLDER] [SOURCE_MINUTES] [TARGET_MINUTES]
#   FOLDER          for everything; a demo that lies there is taken (default: a folder under /tmp that stays)
#   *_MINUTES       0 leaves that half out
# Exit code 1: a limit was passed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/build/release/bin
folder=${1:-${TMPDIR:-/tmp}/ballerino-memory} source_minutes=${2:-10} target_minutes=${3:-20}
mkdir -p "$folder"
cd "$folder"
[ -f demo/source.mp4 ] && [ -f demo/target.ballerino ] || "$bin/ballerino" demo --steps 40 -q -o demo
failed=0
if [ "$source_minutes" != 0 ]; then
    "$bin/bench_long_clip" demo/source.mp4 source.mp4 "$source_minutes" 1920
    "$bin/bench_peak" "transfer, source of $source_minutes minutes, 1080x1920" 1536 \
        "$bin/ballerino" transfer -m demo/target.ballerino -s source.mp4 -o out.mp4 -q || failed=1
fi
if [ "$target_minutes" != 0 ]; then
    "$bin/bench_long_clip" demo/target.mp4 target.mp4 "$target_minutes"
    rm -rf trained.ballerino trained.ballerino.train
    "$bin/bench_peak" "train, target of $target_minutes minutes" 3072 \
        "$bin/ballerino" train target.mp4 -o trained.ballerino --consent "a generated dancer" --steps 40 -q || failed=1
fi
exit $failed
