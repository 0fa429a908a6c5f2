#!/bin/sh
# Back to the image that was good: after the fifth crash, and when somebody asks for it.
# shellcheck source=tests/bench/kit.sh
. "$(dirname "$0")/../kit.sh"

loops=${LOOPS:-$(by_length 4 10)}

rounds() { by_length 3 7; }

claims() {
  title 'fifth crash -> the old image runs' "A container with two networks, an address, a published port, a volume,
    environment, labels, limits and less rights is to go back to the image before, on a real Engine; by_hand is a script of
    docker's client and jq that a person has prepared, started by docker events at the fifth death, without time to
    think. The Engine's own events say when. $loops times in a round it loops, $loops times somebody asks while it runs;
    each time the new container is held against the old one."
  less 'fifth crash -> the old image runs' restored median seadog by_hand 1 ms
  less 'last death of the old -> start of the new' gap median seadog by_hand 1 ms
  less 'asked for while it runs: without service' switch median seadog by_hand 1 ms
  most 'containers that had lost an option, or did not run' lost sum seadog '' 0 containers
}

# A service that ends when it is told to, as good ones do.
serve='trap "exit 0" TERM; while :; do sleep 86400 & wait; done'

make_image() {
  docker create --name maker bb:1 true >/dev/null
  docker commit --change "ENV APP_VERSION=$2" --change "CMD [\"sh\",\"-c\",\"$(echo "$3" | sed 's/"/\\"/g')\"]" maker "$1" >/dev/null
  docker rm maker >/dev/null
}

prepare() {
  need_engine
  docker network inspect shop >/dev/null 2>&1 || docker network create --subnet 10.93.0.0/24 shop >/dev/null
  docker network inspect back >/dev/null 2>&1 || docker network create --subnet 10.94.0.0/24 back >/dev/null
  make_image app:1.0 1.0 "$serve"
  good=$(docker image inspect -f '{{.Id}}' app:1.0)
  make_image app:1.1 1.1 'sleep 0.2; exit 3'
  make_image app:1.2 1.2 "$serve"
}

# deploy IMAGE: each time another service, so that nothing is remembered of it. Sets $web, $old, and how it is set up.
web=''
deploy() {
  [ -z "$web" ] || docker rm -fv "$web" >/dev/null
  deployed=$((deployed + 1))
  web=web-$subject-$round-$deployed
  : >"$place/events"
  old=$(docker create --name "$web" --restart always --hostname web --network shop --ip 10.93.0.9 --network-alias front \
    -p 127.0.0.1:18093:80 -v data:/data -e MODE=fast -e COLOUR=blue --label tier=front --label team=shop \
    --memory 64m --memory-swap 64m --cpus 0.5 --pids-limit 50 --cap-drop NET_RAW --user 1000:1000 "$1")
  docker network connect back "$web"
  docker start "$web" >/dev/null
  options >"$place/was.json"
}

# All but what belongs to the image, and what the Engine makes up.
options() {
  docker inspect "$web" | jq -S '.[0] | {env: (.Config.Env | map(select(startswith("APP_") | not)) | sort),
    hostname: .Config.Hostname, user: .Config.User, labels: .Config.Labels, host: .HostConfig, mounts: (.Mounts | map(.Name)),
    networks: (.NetworkSettings.Networks | map_values({ip: .IPAMConfig.IPv4Address,
      aliases: ((.Aliases // []) | map(select(test("^[0-9a-f]{12}$") | not)))}))}'
}

is_back() {
  [ "$(docker ps -aq --filter "name=$web" | wc -l)" -eq 1 ] &&
    [ "$(docker inspect -f '{{.Image}} {{.State.Running}}' "$web")" = "$good true" ]
}

# What the Engine has told, once all is done; and whether it is what it was.
note_end() {
  await is_back
  new=$(docker inspect -f '{{.Id}}' "$web")
  began=$(events_of "$new" start | head -n 1)
  died=$(events_of "$old" die | tail -n 1)
  options >"$place/is.json"
  if ! diff "$place/was.json" "$place/is.json" >&2 || [ "$(events_of "$new" start | wc -l)" -ne 1 ]; then
    lost=$((lost + 1))
  fi
}

# measure COMMAND_WHERE_IT_LOOPS COMMAND_WHERE_IT_RUNS
measure() {
  restored='' gap='' switch='' lost=0 deployed=0
  for _ in $(seq "$loops"); do
    deploy app:1.1
    "$1"
    note_end
    restored="$restored $(ms_between "$(events_of "$old" die | sed -n 5p)" "$began")"
    gap="$gap $(ms_between "$died" "$began")"
    deploy app:1.2
    "$2"
    note_end
    switch="$switch $(ms_between "$died" "$began")"
  done
  # shellcheck disable=SC2086 # numbers
  {
    say restored $restored
    say gap $gap
    say switch $switch
  }
  say lost "$lost"
}

hear() {
  : >"$place/events"
  begin_aside curl -sN --unix-socket "$engine" 'http://localhost/events?filters=%7B%22type%22:%5B%22container%22%5D%7D' \
    >>"$place/events"
}

measure_seadog() {
  hear
  write_config "$engine"
  printf '[defaults]\non_restarts = rollback, stop\nrollback_to = app:1.0\nverify = 2s\n' >>"$place/seadog.conf"
  seadog_begin "$(docker ps -aq | wc -l)"
  measure true ask_seadog
}

ask_seadog() {
  sea rollback "$web" --to app:1.0 >/dev/null
}

measure_by_hand() {
  hear
  measure watch_by_hand go_by_hand
}

watch_by_hand() {
  begin bash "$root/tests/bench/rivals/rescue.sh" "$engine" "$web" app:1.0
}

go_by_hand() {
  bash "$root/tests/bench/rivals/rescue.sh" "$engine" "$web" app:1.0 now
}

row seadog by_hand
