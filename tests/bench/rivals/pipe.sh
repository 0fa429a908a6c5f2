#!/bin/bash
# pipe.sh SOCKET: a watchdog as a pipe: docker's client prints each die, the shell counts them, and at the fifth of a
# container within a minute stops it.
docker=${DOCKER:-docker}
declare -A times
"$docker" -H "unix://$1" events --filter type=container --filter event=die --format '{{.ID}} {{.Time}}' |
  while read -r id at; do
    fresh=()
    for one in ${times[$id]} "$at"; do
      ((one > at - 60)) && fresh+=("$one")
    done
    times[$id]=${fresh[*]}
    if ((${#fresh[@]} >= 5)); then
      "$docker" -H "unix://$1" stop -t 0 "$id" >/dev/null
      unset "times[$id]"
    fi
  done
