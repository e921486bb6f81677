#!/bin/sh
# Runs git with the given arguments in a process group of its own, and ends that group (ssh, index-pack and all):
#   - when told to (INT, TERM): the library that starts us can signal one process only;
#   - when standard input closes: the agent is gone, however it went, and git must not go on writing the mirror;
#   - when git has ended and left something behind.
# TERM first, KILL after two seconds. UNDERSTUDY_FILE_BLOCKS bounds every file that git writes (512-byte blocks).
ulimit -c 0
ulimit -f "${UNDERSTUDY_FILE_BLOCKS:?}" || exit 125

exec 3<&0
setsid git "$@" </dev/null 3<&- &
group=$!

# No `--` before the numbers: dash does not know it behind a signal's name.
finish() {
  # The process as well: it may not lead its group yet.
  kill -TERM "-$group" "$group"
  tries=0
  while kill -0 "-$group" "$group"; do
    [ "$tries" -lt 20 ] || kill -KILL "-$group" "$group"
    [ "$tries" -lt 30 ] || break
    tries=$((tries + 1))
    sleep 0.1
  done
}

{
  read -r _ <&3
  finish
} >/dev/null 2>&1 &
watcher=$!

# Only now: a signal that comes while a subshell starts, before it has dropped our traps, would be lost in it.
finisher=
trap 'finish >/dev/null 2>&1 3<&- & finisher=$!' INT TERM

while :; do
  wait "$group"
  status=$?
  # A signal interrupts `wait`; once git is waited for, its number is gone.
  kill -0 "$group" 2>/dev/null || break
done

if kill -0 "-$group" 2>/dev/null; then finish >/dev/null 2>&1; fi
# Nothing of ours is left when we are gone.
[ -z "$finisher" ] || wait "$finisher"
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
exit "$status"
