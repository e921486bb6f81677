#!/bin/sh
# Git's credential helper: answers `get` with the user name $1 and the one line of the file $2. The file is read each time, so
# a new token counts at once. The secret goes from the file into a pipe of git: `printf` is the shell's own, so it is never an
# argument of a process, nor in an environment, nor in a file of ours. What git wants to store or erase is nothing to us.
[ "$3" = get ] || exit 0
secret=
IFS= read -r secret <"$2" || [ -n "$secret" ] || exit 1
printf 'username=%s\npassword=%s\n' "$1" "$secret"
