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

# Configures and builds targets of a preset (none named: everything); shows one of ninja's lines in 50. If it fails, shows what
# failed and ends the script. The log is build/<preset>/build.log.
build_targets() { # preset jobs target...
  local preset=$1 jobs=$2 log=build/$1/build.log
  shift 2
  mkdir -p "build/$preset"
  cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; die "preset $preset could not be configured"; }
  nice cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"} 2>&1 | tee "$log" | build_progress 50 >&2 && return 0
  awk '/^FAILED:/ { on = 1 } /^\[[0-9]+\/[0-9]+\]/ { on = 0 } on' "$log" | cut -c 1-2000 >&2
  tail -n 5 "$log" >&2
  die "preset $preset could not be built; all of it: $log"
}

# Where tools/fetch-sources unpacks third-party sources; CMake has the same default (TOMOSHIBI_SOURCES).
sources_dir() { printf '%s\n' "${TOMOSHIBI_SOURCES:-${XDG_CACHE_HOME:-$HOME/.cache}/tomoshibi/sources}"; }
