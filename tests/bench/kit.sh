# kit.sh: what a row is made of. A row is a file in rows/ that sources this, has the functions `claims`, `rounds`,
# `prepare` and a measure_X for each subject X, and ends with `row X…`. It prints lines of JSON and nothing else:
#   {"kind":"row","row","title","how"}
#   {"kind":"claim","row","what","metric","of","subject","rival","form","target","unit"}
#   {"kind":"values","row","subject","round","metric","values":[…]}
# The subjects take turns (A B A B), as many rounds as $ROUNDS or the row says.
# shellcheck shell=sh
set -eu

root=${root:-$(cd "$(dirname "$0")/../../.." && pwd)}
build=$root/build/release
length=${LENGTH:-short}
name=$(basename "$0" .sh)
subject='' round=0 started=''

# The client that came with the Engine, where there are several.
if [ -z "${DOCKER:-}" ]; then
  DOCKER=$(dirname "$(command -v dockerd || echo /usr/bin/dockerd)")/docker
  [ -x "$DOCKER" ] || DOCKER=/usr/bin/docker
  [ -x "$DOCKER" ] || DOCKER=docker
fi
export DOCKER

# --- what a row prints -----------------------------------------------------------------------------------------------

# title TEXT HOW: what it is about, and how it is measured.
title() {
  jq -cn --arg row "$name" --arg title "$1" --arg how "$2" '{kind: "row", $row, $title, $how}'
}

put_claim() {
  jq -cn --arg row "$name" --arg form "$1" --arg what "$2" --arg metric "$3" --arg of "$4" --arg subject "$5" \
    --arg rival "$6" --argjson target "$7" --arg unit "$8" '{kind: "claim", $row, $what, $metric, $of, $subject,
      rival: (if $rival == "" then null else $rival end), $form, $target, $unit}'
}

# What is claimed of a metric, of which each round's values are made one by OF (median, p99, most, sum):
#   more WHAT METRIC OF SUBJECT RIVAL FACTOR UNIT   the subject's is at least FACTOR times the rival's
#   less WHAT METRIC OF SUBJECT RIVAL FACTOR UNIT   the rival's is at least FACTOR times the subject's
#   most WHAT METRIC OF SUBJECT RIVAL TARGET UNIT   the subject's, less the rival's if there is one, is at most TARGET
more() { put_claim more "$@"; }
less() { put_claim less "$@"; }
most() { put_claim most "$@"; }

# say METRIC VALUE…
say() {
  metric=$1
  shift
  printf '{"kind":"values","row":"%s","subject":"%s","round":%d,"metric":"%s","values":[%s]}\n' "$name" "$subject" \
    "$round" "$metric" "$(echo "$*" | tr ' ' ',')"
}

note() {
  printf '%s: %s\n' "$name" "$*" >&2
}

calc() {
  awk "BEGIN { printf \"%.6g\", $1 }"
}

# by_length SHORT LONG: an amount for `make bench` and one for `make bench-long`.
by_length() {
  if [ "$length" = long ]; then echo "$2"; else echo "$1"; fi
}

row() {
  claims
  prepare
  last=${ROUNDS:-$(rounds)}
  while [ "$round" -lt "$last" ]; do
    round=$((round + 1))
    for subject; do
      note "round $round of $last: $(echo "$subject" | tr _ ' ')"
      "measure_$subject"
      end_all
    done
  done
}

have() {
  command -v "$1" >/dev/null
}

# --- a place, processes, and what they cost --------------------------------------------------------------------------

# A row that is run alone makes its place and takes it away again; run.sh makes one for all.
if [ -z "${BENCH_PLACE:-}" ]; then
  BENCH_PLACE=$(mktemp -d /tmp/seadog-bench-XXXXXX)
  export BENCH_PLACE
  trap 'end_all; clear_place' EXIT
else
  trap end_all EXIT
fi
trap 'exit 130' INT TERM
place=$BENCH_PLACE
engine=$place/engine/docker.sock

groups=/sys/fs/cgroup
[ ! -d $groups/cpuacct ] || groups=$groups/cpuacct
groups=$groups/$(basename "$place")

# in_group GROUP COMMAND…: instead of this shell, and counted with its children in a control group.
in_group() {
  group=$groups/$1
  shift
  mkdir -p "$group"
  # shellcheck disable=SC2016 # for that shell
  exec sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
}

# Microseconds of CPU that a group has taken so far, ended processes included.
cpu_us() {
  if [ -r "$groups/$1/cpuacct.usage" ]; then
    echo $(($(cat "$groups/$1/cpuacct.usage") / 1000))
  else
    awk '$1 == "usage_usec" { us = $2 } END { print us + 0 }' "$groups/$1/cpu.stat" 2>/dev/null || echo 0
  fi
}

# begin COMMAND…: in the background, in the subject's group, until end_all. Sets $pid.
begin() {
  (in_group subject "$@") &
  pid=$!
  started="$pid $started"
}

# begin_aside COMMAND…: the same, for what is not the subject; counted by itself, for what the subject makes it do.
begin_aside() {
  (in_group aside "$@") &
  aside=$!
  started="$aside $started"
}

end() {
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# The subject first, scripts with all that they have started; then what it talked to.
end_all() {
  [ ! -r "$groups/subject/cgroup.procs" ] || while read -r one; do
    kill "$one" 2>/dev/null || true
  done <"$groups/subject/cgroup.procs"
  for one in $started; do
    end "$one"
  done
  started=''
}

clear_place() {
  [ ! -d "$place/engine" ] || sh "$root/tests/e2e/engine.sh" remove "$place/engine" >&2 || true
  for group in "$groups"/*/ "$groups"; do
    rmdir "$group" 2>/dev/null || true
  done
  rm -rf "$place"
}

# await COMMAND…: half a minute at the most.
await() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { note "in vain: $*"; exit 1; }
    sleep 0.05
  done
}

# --- Engines ---------------------------------------------------------------------------------------------------------

docker() {
  "$DOCKER" -H "unix://$engine" "$@"
}

api() {
  curl -sS --unix-socket "$engine" "$@"
}

# events_of CONTAINER ACTION: when each was, in nanoseconds, of what a row has the Engine tell to $place/events.
events_of() {
  jq -r --arg id "$1" --arg action "$2" 'select(.Action == $action and .Actor.ID == $id) | .timeNano' "$place/events"
}

ms_between() {
  calc "($2 - $1) / 1e6"
}

# A real Engine, one for all rows of a run.
need_engine() {
  [ ! -S "$engine" ] || return 0
  note 'starting a private Engine'
  (in_group engine sh "$root/tests/e2e/engine.sh" start host "$place/engine")
  sh "$root/tests/e2e/engine.sh" image "$place/engine" bb:1
}

# need_crew N: so many containers that sleep.
need_crew() {
  need_engine
  aboard=$(docker ps -q --filter label=crew | wc -l)
  [ "$aboard" -ne "$1" ] || return 0
  note "from $aboard containers to $1"
  [ "$aboard" -ge "$1" ] || seq "$((aboard + 1))" "$1" | xargs -I N "$DOCKER" -H "unix://$engine" run -d --network none \
    --restart unless-stopped --label crew --name crew-N bb:1 sleep 1000000 >/dev/null
  [ "$aboard" -le "$1" ] || seq "$(($1 + 1))" "$aboard" | xargs -I N "$DOCKER" -H "unix://$engine" rm -f crew-N >/dev/null
}

# The model Engine: fake_up CONTAINERS; then fake METHOD PATH [BODY] tells it something.
model=$place/model.sock

fake_up() {
  rm -f "$model"
  begin_aside "$build/tests/fake/seadog-fake-engine" "$model" 20
  await test -S "$model"
  [ "$1" -eq 0 ] || fake POST container "$(printf '{"name":"c","image":"acme/web:1","policy":"always","count":%d}' "$1")"
}

fake() {
  curl -sSf --unix-socket "$model" -X "$1" "http://localhost/_fake/$2" -d "${3:-}" -o "$place/told"
}

# --- CPU a minute, beside what the Engine takes with nobody there -------------------------------------------------------

# cpu_a_minute START SECONDS: in milliseconds, $program and $of_engine; what is begun has had START seconds for its start.
cpu_a_minute() {
  sleep "$1"
  program=$(cpu_us subject)
  of_engine=$(cpu_us engine)
  sleep "$2"
  program=$(calc "($(cpu_us subject) - $program) * 60 / $2 / 1000")
  of_engine=$(calc "($(cpu_us engine) - $of_engine) * 60 / $2 / 1000")
}

# What was measured with nobody there is $base from now on.
say_base() {
  base=$of_engine
  say engine "$base"
}

begin_docker_stats() {
  begin "$DOCKER" -H "unix://$engine" stats --no-trunc --format '{{.ID}} {{.CPUPerc}} {{.MemUsage}}' >/dev/null
}

# --- seadog ----------------------------------------------------------------------------------------------------------

sea() {
  "$build/seadog" --config "$place/seadog.conf" "$@"
}

# Its configuration: write_config SOCKET [INTERVAL]. What keeps it from acting on many services at once is out of the way: rows break hundreds.
write_config() {
  rm -rf "$place/state"
  cat >"$place/seadog.conf" <<END
[engine]
host = unix://$1
[seadog]
state_dir = $place/state
control = $place/seadog.sock
sample_interval = ${2:-1s}
[safety]
grace = 0s
max_actions = 100/1s
mass_failure = off
END
}

guards() {
  [ "$(sea status --json | jq '.services | length')" -eq "$1" ]
}

# seadog_up SOCKET CONTAINERS [INTERVAL]: returns when it guards so many; it samples each second where nothing else is said.
seadog_up() {
  write_config "$1" "${3:-}"
  seadog_begin "$2"
}

# seadog_begin CONTAINERS: the same, where its configuration is written already.
seadog_begin() {
  begin "$build/seadog" --config "$place/seadog.conf" run 2>"$place/seadog.log"
  await guards "$1"
}
