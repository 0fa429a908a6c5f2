#!/usr/bin/env bats
# Triggers on what containers use: memory, page cache, children that the kernel kills, CPU, pids, and a leak.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

has_incident() { [ "$(incidents)" -ge 1 ]; }
outcome_is() { [ "$(incident "$1" .outcome)" = "$2" ]; }
why_is() { [[ "$(incident "$1" .why)" =~ $2 ]]; }
seconds_of() { date -d "$1" +%s.%N; }
is_at_least() { awk -v one="$1" -v two="$2" 'BEGIN { exit !(one >= two) }'; }
uses() { service "$1" ".memory.ratio >= $2" >/dev/null; }
trigger_of() { seadog explain "$1" --json | jq -er --arg trigger "$2" ".triggers[] | select(.trigger == \$trigger) | $3"; }

# A container of 128 MiB whose /fill is memory.
roomy() {
  local name=$1
  shift
  docker run -d --name "$name" --memory 128m --memory-swap 128m --tmpfs /fill:size=1g "$@" bb:1 sleep 86400 >/dev/null
}
fill() { docker exec "$1" dd if=/dev/zero of=/fill/more bs=1M count="$2" 2>/dev/null; }

@test "memory: filled for its time it trips, and not before" {
  configure <<<$'[defaults]\nmemory = 95% for 8s'
  roomy web
  watch
  wait_until 20 service web .memory.bytes
  fill web 100
  wait_until 20 uses web 0.75
  sleep 10
  expect "$(incidents)" 0
  docker exec web dd if=/dev/zero of=/fill/rest bs=1M count=23 2>/dev/null
  local full opened
  full=$(date +%s.%N)
  wait_until 60 has_incident
  expect_like "$(incident 1 .why)" "^memory 9[5-9]% \(12[0-9.]+MiB of 128MiB\) for [0-9]+s \(limit 95% for 8s\)$"
  opened=$(seconds_of "$(incident 1 .opened)")
  is_at_least "$(awk -v a="$opened" -v b="$full" 'BEGIN { print a - b }')" 7.5
  verdict_is web sick
  [ "$(seadog show 1 --json | jq '.incident.samples | length')" -ge 5 ]
  expect "$(seadog show 1 --json | jq '.incident.memory_limit_bytes')" 134217728
  docker exec web rm /fill/rest /fill/more
  wait_until 60 outcome_is 1 recovered
  is_at_least "$(seadog show 1 --json | jq '[.incident.samples[].usage_bytes] | max')" 125000000
  expect_like "$(seadog show 1)" "memory +[▁▂▃▄▅▆▇█]+  "
}

@test "memory: a restart gives it back, and that is verified" {
  configure <<<$'[defaults]\nmemory = 95% for 3s\non_memory = restart, stop\nverify = 3s'
  roomy web
  watch
  wait_until 20 service web .memory.bytes
  fill web 123
  wait_until 60 outcome_is 1 recovered
  expect "$(incident 1 '.steps | map(.action + " " + .result) | join(", ")')" "restart done"
  wait_until 20 service web '.memory.ratio < 0.5'
}

reaches_limit() { # of what the kernel counts, page cache included
  local pid
  pid=$(inspect "$1" '{{.State.Pid}}')
  local path
  path=$(awk -F: '$2 == "memory" { print "/sys/fs/cgroup/memory" $3 "/memory.usage_in_bytes" } $2 == "" { print "/sys/fs/cgroup" $3 "/memory.current" }' \
    "/proc/$pid/cgroup" | while read -r file; do [ ! -e "$file" ] || echo "$file"; done | head -n 1)
  [ "$(cat "$path")" -ge 125000000 ]
}

@test "memory: page cache that can be given back never trips" {
  configure <<<$'[defaults]\nmemory = 95% for 2s'
  docker run -d --name web --memory 128m --memory-swap 128m bb:1 sh -c \
    'dd if=/dev/zero of=/file bs=1M count=400 2>/dev/null; while :; do cat /file >/dev/null; done' >/dev/null
  # what is read again before it is given back becomes active cache, which clients count as used
  docker run -d --name hot --memory 128m --memory-swap 128m bb:1 sh -c \
    'dd if=/dev/zero of=/file bs=1M count=122 2>/dev/null; while :; do cat /file >/dev/null; done' >/dev/null
  watch
  wait_until 60 reaches_limit web
  wait_until 60 reaches_limit hot
  sleep 12
  reaches_limit web
  reaches_limit hot
  expect "$(incidents)" 0
}

oom_count_is() { [ "$(trigger_of web oom .now)" = "$1" ]; }

@test "oom: a child is killed while the container lives on; each kill is one" {
  configure <<<$'[defaults]\noom = 3/10m'
  docker run -d --name web --memory 48m --memory-swap 48m bb:1 sh -c \
    'trap "tail /dev/zero" USR1; while :; do sleep 0.1; done' >/dev/null
  watch
  local before pid
  before=$(started web)
  pid=$(inspect web '{{.State.Pid}}')
  wait_until 20 service web .memory.bytes
  local kills
  for kills in 1 2; do
    kill -USR1 "$pid"
    wait_until 40 oom_count_is "$kills"
  done
  sleep 14 # the kernel's own count has been looked at, too
  oom_count_is 2
  expect "$(incidents)" 0
  kill -USR1 "$pid"
  wait_until 40 has_incident
  expect_like "$(incident 1 '.trigger + ": " + .why')" "^oom: 3 OOM kills within 10m"
  expect "$(started web) $(state web)" "$before running"
}

has_both() { [ "$(incidents)" -ge 2 ]; }

@test "cpu and pids: of what it may use" {
  configure <<<$'[container hog]\ncpu = 40% for 3s\n[container many]\npids = 90% for 2s'
  docker run -d --name hog --cpus 0.2 --cpu-shares 20000 bb:1 sh -c 'while :; do :; done' >/dev/null
  docker run -d --name many --pids-limit 20 bb:1 sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do sleep 86400 & done; wait' >/dev/null
  docker run -d --name idle --cpus 0.2 --pids-limit 20 --label seadog.cpu='80% for 3s' --label seadog.pids='90% for 2s' bb:1 sleep 86400 >/dev/null
  watch
  wait_until 60 has_both
  expect "$(seadog incidents --json | jq -r '[.incidents[] | .name + " " + .trigger] | sort | join(", ")')" "hog cpu, many pids"
  expect_like "$(seadog incidents many --json | jq -r '.incidents[0].why')" "^pids 95% \(19 of 20\) for "
  expect_like "$(seadog incidents hog --json | jq -r '.incidents[0].why')" "^cpu [0-9]+% \(0\.[0-9]+ of 0\.20 CPUs\) for "
}

@test "pressure: tasks that wait for a CPU; where the kernel tells no pressure, check says so" {
  configure <<<$'[defaults]\npressure = cpu 10% for 2s'
  docker run -d --name web --cpuset-cpus 0 bb:1 sh -c 'while :; do :; done & while :; do :; done' >/dev/null
  watch
  wait_until 20 service web .cpu_ratio
  if [ "$(trigger_of web pressure '.now | type')" = number ]; then
    wait_until 60 has_incident
    expect_like "$(incident 1 '.trigger + ": " + .why')" "^pressure: cpu pressure [0-9]+% for [0-9]+s \(limit 10% for 2s\)$"
  else
    expect_like "$(seadog check --json | jq -r '.checks[] | select(.what == "pressure") | .state + ": " + .detail')" "^warning: .*cgroup v2"
    expect "$(incidents)" 0
  fi
}

# Three MiB a second by the clock, however slow the machine is.
@test "forecast: a leak is foretold a minute ahead, within a tenth" {
  configure <<<$'[defaults]\nforecast = 1m\nmemory = off'
  watch
  docker run -d --name web --memory 384m --memory-swap 384m --tmpfs /fill:size=1g bb:1 sh -c \
    'begun=$(date +%s); have=0; while [ $have -lt 380 ]; do
       want=$(( ($(date +%s) - begun) * 3 ))
       [ $want -le $have ] || dd if=/dev/zero bs=1M count=$((want - have)) 2>/dev/null >>/fill/leak
       have=$want; sleep 0.2
     done; sleep 86400' >/dev/null
  wait_until 150 has_incident
  expect "$(incident 1 .trigger)" forecast
  expect_like "$(incident 1 .why)" "^memory reaches its limit of 384MiB in about [0-9ms]+ \([23].[0-9]MiB/s for [0-9ms]+\)$"
  local told from end
  told=$(trigger_of web forecast .now)
  from=$(date +%s.%N)
  wait_until 150 uses web 0.98
  end=$(date +%s.%N)
  awk -v told="$told" -v took="$(awk -v a="$end" -v b="$from" 'BEGIN { print a - b }')" 'BEGIN {
    print "told " told "s ahead, it took " took "s to 98%"; exit !(took > 0.85 * told && took < 1.1 * told + 1) }'
}
