#!/bin/sh
# Runs one .test file: command lines and what they must print. usage: run.sh PROGRAM FILE
#   $ arguments     run the program with these in an empty folder (variables: $SHARED)
#   = N             its exit code
#   > text          a line of stdout   (all lines, in order; none given: stdout is not looked at)
#   ! text          a line of stderr   (likewise)
#   # text          a comment
set -u
program=$1 file=$2 failed=0 ran=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work" XDG_CONFIG_HOME="$work" SHARED="${BALLERINO_SHARED:-}"
cd "$work" || exit 1

check() { # label, expected file, real file
    [ -s "$2" ] || return 0
    diff -u "$2" "$3" >"$work/diff" || { echo "$file: '$args': $1 differs:"; cat "$work/diff"; failed=1; }
}
finish() {
    [ -n "$args" ] || return 0
    eval "set -- $args"
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    ran=$((ran + 1))
    [ "$got" = "$code" ] || { echo "$file: '$args': exit code $got, expected $code"; cat "$work/err"; failed=1; }
    check stdout "$work/want_out" "$work/out"
    check stderr "$work/want_err" "$work/err"
}
args="" code=0
while IFS= read -r line || [ -n "$line" ]; do
    case $line in
    '$ '*) finish; args=${line#??} code=0; : >"$work/want_out"; : >"$work/want_err" ;;
    '= '*) code=${line#??} ;;
    '> '*) echo "${line#??}" >>"$work/want_out" ;;
    '! '*) echo "${line#??}" >>"$work/want_err" ;;
    esac
done <"$file"
finish
[ "$ran" -gt 0 ] || { echo "$file: no command"; exit 1; }
[ "$failed" = 0 ] && echo "$ran commands"
exit "$failed"
