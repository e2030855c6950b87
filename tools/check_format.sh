#!/bin/sh
# Formatting as .clang-format says; another version of clang-format may differ, so only version 14 judges.
set -eu
cd "$(dirname "$0")/.."
clang-format --version 2>/dev/null | grep -q 'version 14' || { echo "SKIP: clang-format 14 is not here"; exit 77; }
find src cli tests bench include -name '*.[ch]' -o -name '*.cu' -o -name '*.cpp' | xargs clang-format --dry-run --Werror
echo "format: clean"
