#!/bin/bash
# On a machine with an NVIDIA GPU: operators, pictures, whole networks' gradients and training steps held to the CPU, the sanitizers,
# and training steps and frames beside PyTorch's there. That machine needs CUDA's driver, cuDNN 9 and PyTorch, and nothing else of ours.
#   gpu.sh pack                       here: build/gpu-pack, all that the other machine needs, below 64 MiB; with MEDIA=1
#                                     also FFmpeg's libraries, 160 MiB more, where that machine has not the same
#   gpu.sh run [parity|media|sanitize|nets]...   there (default: all; the other machine has build/gpu-pack and this script)
# Environment of `run`: DEVICE=cuda:0, NETS="draft standard paper paper-full", RUNS=50,
#   PEERS="eager compiled", PYTHON=python3, SANITIZER_SECONDS=580 (for each tool)
set -u
cd "$(dirname "$0")/.."
pack=build/gpu-pack
device=${DEVICE:-cuda:0}
python=${PYTHON:-python3}
status=0

fail() { echo "gpu.sh: $*" >&2; exit 1; }

# ---- here ----
# The libraries of Debian that the programs need; the C and C++ runtimes are the other machine's own.
libraries() {
    ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
        grep -vE '/(libc|libm|libdl|librt|libpthread|libstdc\+\+|libgcc_s|libcuda|libcudart|libcudnn[a-z_]*|libcublas[A-Za-z]*)\.so'
}
make_pack() {
    build=${BUILD:-build/release}
    [ -e "$build/bin/libballerino-cuda.so" ] || fail "there is no module in $build/bin; build with -DBL_CUDA=ON"
    rm -rf $pack
    mkdir -p $pack/bin $pack/lib
    for file in bench_nn test_cuda_parity test_device test_media_hw test_transfer_device libballerino-cuda.so; do
        found=$(find "$build/bin" "$build/tests" -maxdepth 1 -type f -name $file 2>/dev/null | head -1)
        [ -n "$found" ] || fail "$file is not built"
        cp "$found" $pack/bin/ && strip --strip-debug $pack/bin/$file
    done
    for file in $pack/bin/*; do
        case ${file##*/} in
        test_media_hw | test_transfer_device) [ -z "${MEDIA:-}" ] || libraries "$file" ;;
        *) libraries "$file" ;;
        esac
    done | sort -u | xargs cp -t $pack/lib
    size=$(du -sm $pack | cut -f1)
    echo "$pack: $size MiB, $(ls $pack/lib | wc -l) libraries"
    [ "$size" -lt 64 ] || [ -n "${MEDIA:-}" ] || fail "that is too large"
}

# ---- there ----
# cuDNN and what it loads, where PyTorch's packages hold them, behind the system's own places.
cuda_folders() {
    $python - <<'PY' 2>/dev/null
import glob, importlib.util
spec = importlib.util.find_spec("nvidia")
print(":".join(d for p in (spec.submodule_search_locations if spec else []) for d in sorted(glob.glob(p + "/*/lib"))))
PY
}
here() { LD_LIBRARY_PATH="$PWD/$pack/lib:$folders${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$@"; }
check() { # a command that must succeed
    "$@" || { echo "FAILED ($?): $*"; status=1; }
}

parity() {
    echo "== operators, gradients of whole networks and training steps beside the CPU: the table is for docs/PERFORMANCE.md"
    check here $pack/bin/test_cuda_parity --device "$device"
    echo "== training, checkpoints, models, pose networks"
    check here $pack/bin/test_device --device "$device"
}

media() {
    echo "== frames of the GPU's decoder beside the CPU's, a video of its encoder; transfers beside the CPU's"
    if here ldd $pack/bin/test_media_hw | grep -q 'not found'; then
        echo "SKIP: FFmpeg's libraries are not here; MEDIA=1 gpu.sh pack takes them along"
    else
        check here $pack/bin/test_media_hw
        check here $pack/bin/test_transfer_device --device "$device"
    fi
}

sanitize() {
    command -v compute-sanitizer >/dev/null || { echo "SKIP: compute-sanitizer is not here"; return; }
    for tool in memcheck racecheck initcheck; do
        echo "== compute-sanitizer $tool"
        check here timeout "${SANITIZER_SECONDS:-580}" compute-sanitizer --tool $tool --error-exitcode 99 --print-limit 20 $pack/bin/test_cuda_parity --device "$device" operators pictures >"$log"
        grep -E 'ERROR SUMMARY|RACECHECK SUMMARY|Invalid|hazard|Uninitialized|FAILED|PASSED' "$log" | tail -8
    done
}

of() { sed -nE "s/.*$1.*/\1/p" "$log" | tail -1; } # the number that a pattern finds in the last output
row() { # train|infer NET
    eager="-" compiled="-"
    here $pack/bin/bench_nn "$1" "$2" "${RUNS:-50}" bf16 --device "$device" >"$log" 2>&1 || { cat "$log"; status=1; return; }
    cat "$log"
    ours=$(of 'median ([0-9.]+) ms') rate=$(of '([0-9]+) Gflop\/s') size=$(of ' ([0-9]+x[0-9]+) ')
    for peer in ${PEERS:-eager compiled}; do
        $python bench/peer.py "$1" "$2" "${RUNS:-50}" bf16 --device "$device" $([ $peer = compiled ] && echo --compile) >"$log" 2>&1 ||
            { tail -3 "$log"; continue; }
        tail -1 "$log"
        [ $peer = eager ] && eager=$(of 'median ([0-9.]+) ms') || compiled=$(of 'median ([0-9.]+) ms')
    done
    awk -v ours="$ours" -v eager="$eager" -v compiled="$compiled" -v rate="$rate" -v peak="$peak" -v what="$1 $2 $size" '
        function times(x) { return x == "-" ? "-" : sprintf("%.2f", x / ours) }
        BEGIN { printf "| %s | %.2f | %s | %s | %s | %s | %.0f | %.1f %% |\n", what, ours, eager, compiled, times(eager), times(compiled),
                1000 / ours, peak > 0 ? 100 * rate / 1000 / peak : 0 }' >>"$table"
}

nets() {
    $python bench/peer.py peak --device "$device" >"$log" 2>&1 || tail -3 "$log"
    peak=$(of 'peak bf16 ([0-9.]+) Tflop')
    for net in ${NETS:-draft standard paper paper-full}; do
        row train $net
        row infer $net
    done
    echo "== bf16, medians of ${RUNS:-50}; a step ends when its losses are known; our frame includes the way up and down, PyTorch's does not"
    echo "| | ours, ms | PyTorch, ms | compiled, ms | times PyTorch | times compiled | a second | of ${peak:-?} Tflop/s |"
    echo "|---|---|---|---|---|---|---|---|"
    cat "$table"
}

case ${1:-} in
pack) make_pack ;;
run)
    shift
    [ -x $pack/bin/bench_nn ] || fail "$pack is not here; make it with gpu.sh pack and carry it"
    log=$(mktemp) table=$(mktemp)
    trap 'rm -f "$log" "$table"' EXIT
    folders=$(cuda_folders)
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo "no nvidia-smi"
    date -u +%Y-%m-%d
    for section in ${*:-parity media sanitize nets}; do
        case $section in
        parity | media | sanitize | nets) $section ;;
        *) fail "'$section' is none of parity, media, sanitize, nets" ;;
        esac
    done
    exit $status
    ;;
*) fail "say pack or run (see the top of this file)" ;;
esac
