# Runs a part of the lifecycle: a script of its own, that lifecycle.tf adds below. What fails or hangs
# is logged, and the notebook starts all the same. These lines leave less room for the user's script:
# keep them few.
# Arguments: name, seconds it may take. Input: the script, and one newline more, which ends it here.
part() {
  local file="$NOTEBOOK_ROOT/opt/notebook-lifecycle/$1" run=()
  if ! (umask 077 && mkdir -p "${file%/*}" && head -c -1 >"$file" && chmod 700 "$file"); then
    echo "$1: cannot write $file; not run" >&2
    return
  fi
  [ "$(head -c 2 "$file")" = '#!' ] || run=(bash)
  echo "$1: starts"
  timeout -k 5 "${NOTEBOOK_PART_SECONDS:-$2}" "${run[@]}" "$file" </dev/null &&
    echo "$1: done" ||
    echo "$1: exit code $? (124, 137: too slow); the notebook starts all the same" >&2
}
