#!/bin/bash
# Training with mpirun from the command line: a model that transfer takes; stopped, killed and gone on with, bit for bit;
# an error of one process ends all. usage: together.sh PROGRAM MODULE SCENE_FILES
set -u
program=$1 module=$2 scene=$3
[ -n "$module" ] && command -v mpirun >/dev/null || { echo "SKIP: MPI is not here (openmpi-bin, libopenmpi-dev)"; exit 77; }
mpirun --version 2>/dev/null | grep -q 'Open MPI' || { echo "SKIP: MPI's launcher here is not Open MPI's"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work" XDG_CONFIG_HOME="$work" BALLERINO_MPI_MODULE="$module" ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
cd "$work" || exit 1
failed=0
bad() { echo "$*"; tail -20 out err 2>/dev/null; failed=1; }
"$scene" . plain killed stopped ended refined || { echo "no clip"; exit 1; }

# each process leaves its number, so that one of them can be ended
cat >rank.sh <<'END'
#!/bin/sh
echo $$ >"pid.$OMPI_COMM_WORLD_RANK"
exec "$@"
END
chmod +x rank.sh
mpi="mpirun --allow-run-as-root --oversubscribe --bind-to none"
patience="" # after Ctrl-C mpirun waits so long before it says TERM, and as long again before it kills; a second, unless told otherwise
train() { # model, more options
    model=$1
    shift
    echo "$mpi $patience -n 2 ./rank.sh $program train clip.mp4 -o $model --consent nobody --size 32x32 --steps 120 --precision fp32
        --perceptual none --refine none --threads 1 --holdout 0.2 --save-every 1 --progress none $*"
}
code() { # expected exit code, what was done
    [ "$got" = "$1" ] || bad "$2: exit code $got, expected $1"
}
wait_for() { # file
    for _ in $(seq 1200); do [ -e "$1" ] && return; sleep 0.05; done
    bad "$1 did not appear"
}

$(train plain) >out 2>err; got=$?
code 0 "training with two processes"
[ "$(grep -c '^trained 120 steps' out)" = 1 ] || bad "not one result"
grep -q '2 processes, 2 of them on this machine' err || bad "nobody said how many there are"
$program transfer -m plain -s clip.mp4 --source-track clip.track.json -o dance.mp4 >out 2>err; got=$?
code 0 "transfer with the model"
[ -s dance.mp4 ] || bad "no video"

# one process killed without warning: all end; the same command goes on
$(train killed) >out 2>err &
wait_for killed.train/log.jsonl
kill -9 "$(cat pid.1)"
wait $!; got=$?
[ "$got" != 0 ] || bad "a killed process went unnoticed"
[ ! -e killed ] || bad "the training was over before it could be killed"
$(train killed) >out 2>err; got=$?
code 0 "going on after a kill"
cmp plain killed || bad "the model after a kill differs"

# Ctrl-C, as Open MPI 4 has it; later ones keep their time elsewhere
interrupted() {
    patience="--mca odls_base_sigkill_timeout 2"
    $(train stopped) >out 2>err &
    wait_for stopped.train/log.jsonl
    kill -INT $!
    wait $!; got=$?
    patience=""
    [ "$got" != 0 ] && [ ! -e stopped ] || bad "Ctrl-C did not stop it"
    [ -s stopped.train/checkpoint.safetensors ] || bad "Ctrl-C did not save"
    $(train stopped) >out 2>err; got=$?
    code 0 "going on after Ctrl-C"
    cmp plain stopped || bad "the model after Ctrl-C differs"
}
if mpirun --version | grep -q 'Open MPI) 4'; then interrupted; else echo "not tried: Ctrl-C, with an Open MPI that is not 4"; fi

# one process asked to end: all do, after the same step, having saved
rm -f pid.*
$(train ended) >out 2>err &
wait_for ended.train/log.jsonl
kill -TERM "$(cat pid.1)"
wait $!; got=$?
code 130 "ending one process"
[ "$(grep -c '^ballerino: .*stopped; what was done is saved' err)" = 1 ] || bad "not one sentence"
[ -s ended.train/checkpoint.safetensors ] || bad "nothing was saved"
$(train ended) >out 2>err; got=$?
code 0 "going on after one process was ended"
cmp plain ended || bad "the model after that differs"

# the time is shared out by the first process; refiners are trained too
$(train refined --steps 0 --minutes 0.03 --refine face) >out 2>err; got=$?
code 0 "training by time, with a refiner"

# an error of one process alone
options="--consent nobody --steps 5 --threads 1"
$mpi -n 1 "$program" train clip.mp4 -o x $options : -n 1 "$program" train nothing.mp4 -o x $options >out 2>err; got=$?
code 3 "a file that one process does not see"
[ "$(grep -c '^ballerino: ' err)" = 1 ] && grep -q 'process 1 of 2: cannot open nothing.mp4' err || bad "not its sentence"
$mpi -n 2 "$program" train clip.mp4 -o x --steps 5 >out 2>err; got=$?
code 9 "no consent"
$mpi -n 2 "$program" transfer -m plain -s clip.mp4 -o y.mp4 >out 2>err; got=$?
code 2 "transfer with two processes"
grep -q "transfer is one process's work and 2 were started" err || bad "not its sentence"
BALLERINO_MPI_MODULE=/no/such/module.so $mpi -n 2 "$program" train clip.mp4 -o x $options >out 2>err; got=$?
code 5 "no module"
grep -q "started as one of 2 processes: the MPI module cannot be loaded" err || bad "not its sentence"
[ "$failed" = 0 ] && echo "together: all as it should be"
exit $failed
