#!/bin/sh
# From the kill of the fifth process to the end of the loop, on a real Engine.
# shellcheck source=tests/bench/kit.sh
. "$(dirname "$0")/../kit.sh"

loops=${LOOPS:-$(by_length 10 200)}

rounds() { by_length 5 5; }

claims() {
  title 'kill of the fifth process -> loop ended' "A container's process is killed as soon as it runs, five times; the
    loop has ended when the Engine says that the container was stopped. $loops loops in a round, each subject behind the
    same proxy. poll is a shell loop of curl and jq at 5 s, pipe is docker events piped to a shell script."
  less 'kill -> loop ended, median' ended median seadog poll 50 ms
  less 'kill -> loop ended, median' ended median seadog pipe 1 ms
  less 'own share of it' share median seadog arrival 10 ms
  most 'sixth starts' sixth sum seadog '' 0 starts
}

prepare() {
  need_engine
}

runs_anew() {
  now_runs=$(api "http://localhost/containers/$1/json" | jq -r 'if .State.Running then .State.Pid else 0 end')
  [ "$now_runs" -ne 0 ] && [ "$now_runs" -ne "$was" ]
}

was_stopped() {
  [ -n "$(events_of "$1" stop)" ]
}

# One loop, and what came of it in milliseconds. Killed from the host, as by the OOM killer: the Engine asked for none.
break_one() {
  # else each loop would begin right behind a turn of the shell loop, and always meet it at the same moment
  sleep "$(calc "$(od -An -N2 -tu2 /dev/urandom) / 13107")"
  id=$(docker run -d --network none --restart always bb:1 sleep 1000)
  was=0
  for _ in 1 2 3 4 5; do
    await runs_anew "$id"
    was=$now_runs
    killed=$(date +%s%N)
    kill -9 "$was"
  done
  await was_stopped "$id"
  sleep 0.2
  ended="$ended $(ms_between "$killed" "$(events_of "$id" stop | head -n 1)")"
  wire=$(awk -v id="$id" '$1 == id { print $2, $3; exit }' "$place/stops")
  if [ -n "$wire" ]; then
    arrival="$arrival $(ms_between "$killed" "${wire% *}")"
    share="$share $(ms_between "${wire% *}" "${wire#* }")"
  fi
  [ "$(events_of "$id" start | wc -l)" -le 5 ] || sixth=$((sixth + 1))
  docker rm -f "$id" >/dev/null
}

# The shell loop hears no events: it has neither an arrival nor a share of its own.
measure() {
  sixth=0 ended='' arrival='' share=''
  for _ in $(seq "$loops"); do
    break_one
  done
  # shellcheck disable=SC2086 # numbers
  {
    say ended $ended
    say sixth "$sixth"
    [ -z "$share" ] || say share $share
    subject=arrival # a rival of its own: what the Engine takes to tell
    [ -z "$arrival" ] || say share $arrival
  }
}

wire_up() {
  rm -f "$place/wire.sock"
  begin_aside "$build/tests/bench/tap" "$place/wire.sock" "$engine" >"$place/stops"
  begin_aside curl -sN --unix-socket "$engine" 'http://localhost/events?filters=%7B%22type%22:%5B%22container%22%5D%7D' \
    >"$place/events"
  await test -S "$place/wire.sock"
}

measure_seadog() {
  wire_up
  seadog_up "$place/wire.sock" "$(docker ps -aq | wc -l)"
  measure
}

measure_pipe() {
  wire_up
  begin bash "$root/tests/bench/rivals/pipe.sh" "$place/wire.sock"
  sleep 1
  measure
}

measure_poll() {
  wire_up
  begin sh "$root/tests/bench/rivals/poll.sh" "$place/wire.sock"
  sleep 1
  measure
}

row seadog pipe poll
