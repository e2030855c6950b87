#!/bin/sh
# Our training step and generated frame beside PyTorch's, alternately, on this machine: medians and their ratios. Then
# where a step's time goes, whole programs, long clips and a busy neighbour. PyTorch is found as `python3 -c "import
# torch"`, or given: PEER="chroot /some/root python3" with bench/peer.py at PEER_SCRIPT inside it.
# usage: run.sh [nets|ops|whole|neighbour|growth|memory|quality]...
#   default: nets ops whole neighbour growth (some twenty minutes); growth is memory with clips of 1 and 3 minutes,
#   memory the full length (an hour), quality the time to a held-out SSIM (a quarter of an hour)
set -eu
cd "$(dirname "$0")/.."
bench=build/release/bin/bench_nn
peer=${PEER:-python3}
script=${PEER_SCRIPT:-bench/peer.py}
$peer -c 'import torch' 2>/dev/null || { echo "PyTorch is not here (Debian: python3-torch): only our own times"; peer=""; }

ours() { "$bench" "$@" | tee -a "$log"; }
theirs() { [ -z "$peer" ] || $peer "$script" "$@" | tee -a "$log"; }

# Medians of three alternating runs each, and PyTorch's over ours.
pair() { # train|infer NET RUNS PRECISION
    for _ in 1 2 3; do
        ours "$@"
        theirs "$@"
    done
}
ratios() {
    awk '
        { at = $1 == "ballerino" ? 2 : 3; k = $at " " $(at + 1) " " $(at + 2) " " $(at + 3); sub(":", "", k)
          match($0, /median [0-9.]+/); v = substr($0, RSTART + 7, RLENGTH - 7) + 0
          who = $1 == "ballerino" ? "o" : "t"; if (!(k in seen)) order[++m] = k; seen[k]; x[k, who, ++n[k, who]] = v }
        function median(k, w,   i, j, t, c) {
            c = n[k, w]
            for (i = 1; i < c; i++) for (j = i + 1; j <= c; j++) if (x[k, w, j] < x[k, w, i]) { t = x[k, w, i]; x[k, w, i] = x[k, w, j]; x[k, w, j] = t }
            return x[k, w, int((c + 1) / 2)]
        }
        END {
            for (i = 1; i <= m; i++) {
                k = order[i]; a = median(k, "o"); b = n[k, "t"] ? median(k, "t") : 0
                printf "%-34s ours %9.2f ms", k, a
                if (b) printf "   PyTorch %9.2f ms   %.2f times as fast", b, b / a
                print ""
            }
        }' "$log"
}

nets() {
    log=$(mktemp)
    peaks=$("$bench" peaks) fast=bf16
    echo "$peaks"
    case $peaks in
    *BF16* | *AMX*) ;;
    *) fast=fp32; echo "no bfloat16 on this processor: everything in float32" ;;
    esac
    for net in reference draft standard; do
        pair train $net 9 $fast
        pair infer $net 30 $fast
    done
    pair train paper 3 $fast
    pair infer paper 5 $fast
    if [ $fast = bf16 ]; then
        pair train reference 5 fp32
        pair train draft 9 fp32
    fi
    ratios
    rm -f "$log"
}

[ $# -gt 0 ] || set -- nets ops whole neighbour growth
for part; do
    case $part in
    nets) nets ;;
    ops) for net in reference draft; do "$bench" ops $net 9; done ;;
    whole) bench/whole.sh ;;
    growth) for minutes in 1 3; do bench/memory.sh "" $minutes $minutes; done ;;
    memory) bench/memory.sh ;;
    neighbour) bench/neighbour.sh reference ;;
    quality) bench/quality.sh ;;
    *) echo "unknown part: $part" >&2; exit 2 ;;
    esac
done
