#!/bin/sh
# What needs no work must not wait for the libraries that do it: alone in a folder, without its core, the program shows
# help and says what is wrong with options; work ends with one sentence. usage: startup.sh PROGRAM
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work" XDG_CONFIG_HOME="$work"
cp "$1" "$work/ballerino"
cd "$work" || exit 1
failed=0
expect() { # exit code, a piece of the output, arguments
    code=$1 piece=$2
    shift 2
    ./ballerino "$@" >out 2>&1 </dev/null
    got=$?
    [ "$got" = "$code" ] && grep -qF -- "$piece" out && return
    echo "'$*' gave exit code $got, expected $code and '$piece':"
    cat out
    failed=1
}
expect 0 "usage: ballerino COMMAND" --help
expect 0 "--minutes" train --help
expect 2 "did you mean --minutes?" train --minuts 5
expect 3 "cannot start" version
expect 3 "install it beside ballerino" pose dance.mp4
if ldd ./ballerino >libs 2>/dev/null && grep -E 'libav|libsw|libdnnl|libgomp' libs; then
    echo "the front program loads these"
    failed=1
fi
exit $failed
