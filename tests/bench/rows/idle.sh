#!/bin/sh
# What it costs to watch 50 containers with which nothing happens.
# shellcheck source=tests/bench/kit.sh
. "$(dirname "$0")/../kit.sh"

seconds=${SECONDS_OF_IDLE:-$(by_length 30 300)}

rounds() { by_length 3 5; }

claims() {
  title 'watching 50 idle containers, CPU per minute' "CPU of the program, its children, and of the Engine (dockerd,
    containerd, shims) less what it takes with nobody there, over $seconds s. poll is a shell loop of curl and jq at 5 s;
    monit checks 50 processes every 5 s. seadog $(sea_samples)."
  less 'program and Engine' all median seadog poll 10 ms/min
  ! have monit || less 'the program alone' alone median seadog monit 3 ms/min
}

sea_samples() {
  if "$build/seadog" config --example | grep -q '^; sample_interval'; then
    echo 'samples each container too'
  else
    echo 'watches events alone: sampling is not built yet'
  fi
}

# Young containers make the shell loop look closer: they are to be old enough for it to do the least.
prepare() {
  need_crew 50
  note 'waiting until the containers are a minute old'
  while docker ps --format '{{.Status}}' | grep -q second; do sleep 2; done
}

measure() {
  cpu_a_minute 6 "$seconds"
}

say_both() {
  say alone "$program"
  say engine "$of_engine"
  # Not cut off at zero: where the Engine's own unrest is larger than what is looked for, the spread is to show it.
  say all "$(calc "$program + $of_engine - $base")"
}

measure_nobody() {
  measure
  say_base
}

measure_seadog() {
  seadog_up "$engine" "$(docker ps -aq | wc -l)"
  measure
  say_both
}

measure_poll() {
  begin sh "$root/tests/bench/rivals/poll.sh" "$engine"
  measure
  say_both
}

# The checks that its manual gives for a process, by pid file: the cheapest that it has.
write_monitrc() {
  printf 'set daemon 5\nset pidfile %s/monit.pid\nset statefile %s/monit.state\nset idfile %s/monit.id\n' "$place" \
    "$place" "$place" >"$place/monitrc"
  mkdir -p "$place/pids"
  docker ps -q --filter label=crew | xargs "$DOCKER" -H "unix://$engine" inspect -f '{{.Name}} {{.State.Pid}}' |
    while read -r crew process; do
      echo "$process" >"$place/pids$crew"
      printf 'check process %s with pidfile %s/pids%s\n  if 5 restarts within 12 cycles then unmonitor\n' "${crew#/}" \
        "$place" "$crew" >>"$place/monitrc"
    done
  chmod 600 "$place/monitrc"
}

measure_monit() {
  write_monitrc
  begin monit -I -c "$place/monitrc" >/dev/null
  measure
  say_both
}

if have monit; then
  row nobody seadog poll monit
else
  note 'monit is not installed: it is left out'
  row nobody seadog poll
fi
