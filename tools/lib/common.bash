# Shared by the scripts in tools/. Source it; do not run it.

tools_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root_dir=$(cd "$tools_dir/.." && pwd)

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$*"; exit 1; }

# Prints the file's own header comment (everything from line 2 to the first line that is no comment).
print_help() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

# Passes on one of ninja's lines in `every`, and the last.
build_progress() { # every
  awk -v every="$1" '/^\[[0-9]+\/[0-9]+\]/ { split(substr($1, 2), at, /[\/\]]/)
         if (at[1] % every == 0 || at[1] == at[2]) { print; fflush() } }'
}

# Where tools/fetch-sources unpacks third-party sources; CMake has the same default (TOMOSHIBI_SOURCES).
sources_dir() { printf '%s\n' "${TOMOSHIBI_SOURCES:-${XDG_CACHE_HOME:-$HOME/.cache}/tomoshibi/sources}"; }
