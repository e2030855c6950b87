#!/bin/sh
# The module for NVIDIA GPUs as nvcc made it: machine code for what it shall run on, one symbol, and the program loads it
# and says in one sentence what it finds. usage: cuda_module.sh PROGRAM [MODULE]
set -u
program=$1 module=${2:-} failed=0
[ -n "$module" ] || { echo "SKIP: the CUDA module is not built here (no nvcc or no cuDNN)"; exit 77; }
bad() { echo "$*"; failed=1; }

symbols=$(nm -D --defined-only "$module" | awk '$2 ~ /[A-Z]/ { print $3 }' | sort | tr '\n' ' ')
[ "$symbols" = "bl__device_module " ] || bad "the module gives away more than one symbol: $symbols"

if command -v cuobjdump >/dev/null; then
    for code in sm_80 sm_90; do
        cuobjdump --list-elf "$module" | grep -q "\.$code\." || bad "no machine code for $code"
    done
    cuobjdump --list-ptx "$module" | grep -q '\.sm_90\.' || bad "no PTX for GPUs to come"
fi

unset BALLERINO_CUDA_MODULE
said=$("$program" pose /no/such/clip.mp4 --device cuda 2>&1 >/dev/null)
code=$?
[ "$(echo "$said" | wc -l)" = 1 ] || bad "not one sentence: $said"
case $code in
3) echo "a GPU is here" ;;
11)
    case $said in
    *"cannot be loaded"* | *"another build"* | *"no GPU module"*) bad "the module is there and does not load: $said" ;;
    *) echo "as expected without a GPU: $said" ;;
    esac
    ;;
*) bad "exit code $code: $said" ;;
esac
[ "$failed" = 0 ] && echo "module: loads"
exit $failed
