#!/bin/sh
# Runs a test program as several processes on this machine. usage: mpi.sh PROCESSES MODULE PROGRAM...
set -u
ranks=$1 module=$2
shift 2
[ -n "$module" ] && command -v mpirun >/dev/null || { echo "SKIP: MPI is not here (openmpi-bin, libopenmpi-dev)"; exit 77; }
how=""
mpirun --version 2>/dev/null | grep -q 'Open MPI' && how="--allow-run-as-root --oversubscribe --bind-to none"
# leaks are looked for without MPI, which has its own
export BALLERINO_MPI_MODULE="$module" TEST_RANKS="$ranks" ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
exec mpirun $how -n "$ranks" "$@"
