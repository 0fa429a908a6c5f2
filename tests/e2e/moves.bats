#!/usr/bin/env bats
# Back to another image on a real Engine, whatever comes of it: the numbers are those of the specification's cases. What
# the container has beside its image (networks, an address, a policy, volumes with data) is the same in each of them.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

eval "start_the_$(declare -f setup_file)"

# image TAG VOLUME COMMAND [docker commit's …]: it has a volume at that place.
image() {
  docker create --name maker bb:1 true >/dev/null
  docker commit --change "ENV IS=$1" --change "VOLUME $2" --change "CMD [\"sh\",\"-c\",\"$3\"]" "${@:4}" maker "app:$1" >/dev/null
  docker rm -v maker >/dev/null
}

setup_file() {
  start_the_setup_file
  image broken /both 'sleep 0.3; exit 3' --change 'VOLUME /only-broken'
  image slow /both 'sleep 3; exit 3'
  image good /both 'while :; do sleep 0.1; done' --change 'VOLUME /own'
  image exits /both 'exit 4' --change 'VOLUME /own'
  image eats /both 'tail /dev/zero' --change 'VOLUME /own'
  image late /both 'sleep 4; exit 5' --change 'VOLUME /own'
  image sick /both 'while :; do sleep 0.1; done' --change 'VOLUME /own' \
    --change 'HEALTHCHECK --interval=1s --timeout=5s --retries=1 CMD false'
  image job /both 'exit 0' --change 'VOLUME /own'
  docker network create --subnet 10.93.0.0/24 shop >/dev/null
  docker network create --subnet 10.94.0.0/24 back >/dev/null
}

eval "$(declare -f teardown | sed '1s/teardown/end_test/')"

teardown() {
  end_test
  docker volume ls -q | xargs -r docker volume rm -f >/dev/null
}

# --- a service that has all there is -------------------------------------------------------------------------------------

# deploy IMAGE [docker run's …]
deploy() {
  docker create --name web --restart "${policy:-always}" --network shop --ip 10.93.0.9 --network-alias www -v data:/data -v /mine \
    --memory 32m --memory-swap 32m --label tier=front "${@:2}" "app:$1" >/dev/null
  docker network connect --alias db back web
  docker run --name writer --volumes-from web bb:1 sh -c 'echo 1 >/data/f; echo 2 >/mine/f; echo 3 >/both/f'
  docker rm writer >/dev/null
  docker start web >/dev/null
}

written() {
  docker run --name reader --volumes-from web bb:1 sh -c 'cat /data/f /mine/f /both/f' | tr '\n' ' '
  docker rm reader >/dev/null
}

# What it has beside its image and its state.
has() {
  docker inspect web | jq -cS --arg short "$(inspect web '{{slice .Id 0 12}}')" '.[0] | {
    Name, Policy: .HostConfig.RestartPolicy, Memory: .HostConfig.Memory, Tier: .Config.Labels.tier,
    Networks: (.NetworkSettings.Networks | map_values({Addresses: (.IPAMConfig // {}), Aliases: ((.Aliases // []) - [$short] | sort)})),
    Mounts: (.Mounts | map(select(.Destination | test("^/(data|mine|both)$")) | {Source, Destination, RW}) | sort_by(.Destination))}'
}

volumes() { docker volume ls -q | sort; }
id_of() { inspect web '{{.Id}}'; }
image_id() { docker image inspect -f '{{.Id}}' "app:$1"; }
is_made_of() { [ "$(inspect web '{{.Image}}' 2>/dev/null)" = "$(image_id "$1")" ]; }
is_of() { is_made_of "$1" && state_is web running; }
one_container() { [ "$(docker ps -aq | wc -l)" = 1 ]; }
step_is() { [ "$(incident 1 '.steps[0].result // "none"')" = "$1" ]; }

# settings TARGET VERIFY [NEXT]
settings() {
  configure <<END
[defaults]
restarts = 3/60s
on_restarts = rollback, ${3:-notify}
rollback_to = app:$1
verify = $2
cooldown = 0s
END
}

# taken_back TARGET VERIFY WHY [IMAGE [docker run's …]]: the broken one is back as it was, and loops.
taken_back() {
  settings "$1" "$2"
  deploy "${4:-broken}" "${@:5}"
  local before volumes_before id_before
  before=$(has) volumes_before=$(volumes) id_before=$(id_of)
  watch
  wait_until 90 step_is undone
  expect_like "$(incident 1 '.steps[0].detail')" "^it did not help: $3; taken back\$"
  wait_until 20 one_container
  expect "$(id_of)" "$id_before"
  expect "$(has)" "$before"
  expect "$(volumes)" "$volumes_before"
  wait_until 30 has_restarted web 1
  expect "$(written)" '1 2 3 '
  expect "$(seadog pins --json | jq -r '.swaps[0].result')" 'in vain'
}

# --- what comes of it ----------------------------------------------------------------------------------------------------

@test "30: a good target is committed: one container, all that it had, and the volume that is left behind is named" {
  settings good 2s
  deploy broken
  local before old left
  before=$(has) old=$(id_of)
  left=$(inspect web '{{range .Mounts}}{{if eq .Destination "/only-broken"}}{{.Name}}{{end}}{{end}}')
  [ -n "$left" ] || left=$(inspect web '{{range .Mounts}}{{if eq .Destination "/only-broken"}}{{.Source}}{{end}}{{end}}' | sed 's,/_data$,,; s,.*/,,')
  watch
  wait_until 60 step_is "done"
  wait_until 20 one_container
  is_of good
  [ "$(id_of)" != "$old" ]
  expect "$(has)" "$before"
  expect "$(written)" '1 2 3 '
  log_has "rollback: went back to app:good; volume left behind: $left"
  expect_like "$(seadog show 1)" "volume left behind: $left"
  docker volume inspect "$left" >/dev/null
}

@test "31: a target that exits at once" { taken_back exits 20s 'crash, exit code 4(, .*)?'; }

@test "31: a target that eats more memory than it may" { taken_back eats 20s '.*(OOM|137).*'; }

@test "31: a target that is unhealthy" { taken_back sick 20s '.*unhealthy.*'; }

@test "31: a target that lives longer than verify, but not twice as long as the loop did" {
  taken_back late 1s 'crash, exit code 5, after [4-9][.0-9]*s' slow
}

# While it starts, the Engine looks as often as StartInterval says: here not before patience with it is at its end.
@test "31: a target that never says whether it is well" {
  [ "$(printf '%s\n1.44\n' "$(docker version --format '{{.Server.APIVersion}}')" | sort -V | head -n 1)" = 1.44 ] ||
    skip "this Engine knows no StartInterval: what never becomes healthy is unhealthy in time"
  settings good 2s
  curl -sS --fail --unix-socket "$E2E_DIR/docker.sock" -H 'Content-Type: application/json' -o /dev/null \
    "http://engine/v1.44/containers/create?name=web" -d '{"Image": "app:broken", "Healthcheck": {"Test": ["CMD", "true"],
      "Interval": 1000000000, "Timeout": 1000000000, "Retries": 1, "StartPeriod": 3000000000, "StartInterval": 600000000000},
      "HostConfig": {"RestartPolicy": {"Name": "always"}}}'
  docker start web >/dev/null
  local old
  old=$(id_of)
  watch
  wait_until 60 is_of good
  expect "$(inspect web '{{.State.Health.Status}}')" starting
  wait_until 60 step_is undone
  expect "$(incident 1 '.steps[0].detail')" 'it did not help: not healthy in time; taken back'
  wait_until 20 one_container
  expect "$(id_of) $(policy web)" "$old always:0"
  wait_until 30 has_restarted web 1
}

@test "32: a job that ends with 0 under on-failure is a success" {
  settings job 2s
  policy=on-failure deploy broken
  watch
  wait_until 60 step_is "done"
  wait_until 20 one_container
  expect "$(incident 1 '.outcome + ": " + .steps[0].detail')" \
    "recovered: verified, it ended with exit code 0: app:job in place of app:broken"
  is_made_of job
  expect "$(inspect web '{{.State.Status}} {{.State.ExitCode}}') $(policy web)" "exited 0 on-failure:0"
}

# --- what seadog does not know of ----------------------------------------------------------------------------------------

@test "35: what a create in flight has made of it after a death is removed, with its volumes; what was started stays" {
  live web --restart always
  docker create --name web.rbnew-0a1b2c3d -v /unnamed app:good >/dev/null
  docker run -d --name web.rbnew-1a1b2c3d app:good >/dev/null
  volumes=$(docker volume ls -q | wc -l)
  watch
  wait_until 20 log_has 'web.rbnew-0a1b2c3d is left from a rollback that was not ended: removed'
  wait_until 20 log_has 'web.rbnew-1a1b2c3d is left from a rollback that was not ended: remove it'
  expect "$(docker ps -a --format '{{.Names}}' | sort | tr '\n' ' ')" 'web web.rbnew-1a1b2c3d '
  expect "$(docker volume ls -q | wc -l)" $((volumes - 3)) # /both, /own, /unnamed
}

@test "36: the journal is lost while the new one is on trial: it stays, and the parked one is told, and gets its name where that is free" {
  settings good 600s
  deploy broken
  watch
  wait_until 60 is_of good
  wait_until 20 verdict_is web verifying
  end_watch KILL
  rm -rf "$home/state"
  watch
  wait_until 20 log_has 'web.rbold-[0-9a-f]{8} is left from a rollback that was not ended: remove it'
  is_of good
  end_watch
  docker rm -f web >/dev/null
  watch
  wait_until 20 log_has 'web.rbold-[0-9a-f]{8} is left from a rollback that was not ended: has its name again'
  is_made_of broken
  expect "$(state web)" exited
  one_container
  expect "$(written)" '1 2 3 '
}

# --- what others do meanwhile --------------------------------------------------------------------------------------------

# on_trial VERIFY: web has the good image, and the broken one is parked.
on_trial() {
  settings good "$1"
  deploy broken
  watch
  wait_until 60 is_of good
  wait_until 20 verdict_is web verifying
}

@test "38: the parked one is pruned meanwhile: the new one stays" {
  on_trial 12s
  docker container prune -f >/dev/null
  one_container
  wait_until 60 step_is "done"
  is_of good
  expect "$(policy web)" always:0
  expect "$(written)" '1 2 3 '
}

@test "38: the new one is removed meanwhile: the old one comes back, and loops" {
  local before id_before
  settings good 600s
  deploy broken
  before=$(has) id_before=$(id_of)
  watch
  wait_until 60 is_of good
  wait_until 20 verdict_is web verifying
  docker rm -fv web >/dev/null
  wait_until 60 log_has 'rollback: undone, somebody removed the new container; taken back'
  wait_until 20 one_container
  expect "$(id_of)" "$id_before"
  expect "$(has)" "$before"
  wait_until 30 has_restarted web 1
  expect "$(written)" '1 2 3 '
}

@test "38: somebody else takes the name meanwhile: theirs is not touched" {
  on_trial 600s
  docker rm -f web >/dev/null
  docker run -d --name web --restart unless-stopped bb:1 sleep 3000 >/dev/null
  local theirs
  theirs=$(id_of)
  wait_until 60 one_container
  sleep 12 # longer than the new one is waited for
  expect "$(id_of) $(state web) $(policy web)" "$theirs running unless-stopped:0"
  expect "$(restarts web)" 0
}

@test "39: one at a time: a second order is refused while the first is on trial, and so is a second seadog" {
  on_trial 600s
  run -5 seadog rollback web --to app:exits
  expect_like "$output" 'being (done to it|treated)'
  sed "s,$home/state,$home/other,; s,$home/seadog.sock,$home/other.sock," "$home/seadog.conf" >"$home/other.conf"
  run -5 timeout 30 "$program" --config "$home/other.conf" run
  expect_like "$output" 'guarded by another seadog already'
  is_of good
}

@test "40: a pair that did not help is not tried again, the next rung is taken" {
  settings exits 20s stop
  deploy broken
  watch
  wait_until 90 is_held web
  expect_like "$(incident 1 '.steps | map(.action + " " + .result) | join(",")')" '^rollback undone,stop done$'
  seadog release web
  wait_until 60 is_held web
  expect_like "$(incident 2 '.steps[0] | .result + " " + .detail')" '^skipped already rolled back from app:broken to app:exits'
  expect "$(docker ps -a --filter 'name=rb(new|old)-' -q | wc -l)" 0
}
