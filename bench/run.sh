#!/bin/sh
# The same training step here and in PyTorch, alternately, on this machine. PyTorch is found as `python3 -c "import
# torch"`, or given: PEER="chroot /some/root python3" with bench/peer_draft.py at the same path inside it.
set -eu
cd "$(dirname "$0")/.."
ours=build/release/bin/bench_train
peer=${PEER:-python3}
script=${PEER_SCRIPT:-bench/peer_draft.py}
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000}
$peer -c 'import torch' 2>/dev/null || { echo "PyTorch is not here (Debian: python3-torch): only our own times"; peer=""; }
for round in 1 2 3; do
    $ours draft 9
    [ -z "$peer" ] || $peer "$script" 9
done
