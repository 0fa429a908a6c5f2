#!/usr/bin/env bats
# A rollback beside compose, by both of its families: 1.29 as Debian 12 has it, and 2 as the newest Debian has it. Compose
# knows its containers by labels alone, and none by its image: what was rolled back stays, until there is another image.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

family_1() { timeout 120 docker-compose --file "$home/shop/compose.yaml" --project-name shop "$@" 3>&-; }
family_2() { timeout 120 "$here/engine.sh" compose --file "$home/shop/compose.yaml" --project-name shop "$@" 3>&-; }

has_family() {
  local said
  said=$("family_$1" version 2>&1) || skip "there is no compose $1 here"
  [[ $said =~ [[:space:]]v?$1\.[0-9]+ ]] || skip "compose $1 is not here: $said"
}

# --- images: a version that prints itself and lives as long as it is told to -------------------------------------------

make_image() {
  docker rm -f maker >/dev/null 2>&1 || true
  docker create --name maker bb:1 true
  docker commit --change "ENV APP_VERSION=$2" --change "CMD $3" maker "$1"
  docker rm maker
} >/dev/null

setup_images() {
  make_image app:1.0 1.0 '["sh","-c","echo app 1.0; sleep 86400"]'
  make_image app:1.1 1.1 '["sh","-c","sleep 0.3; echo app 1.1; exit 3"]'
  make_image app:1.2 1.2 '["sh","-c","echo app 1.2; sleep 86400"]'
}

publish() { docker tag "$1" app:latest; } # what a pull does: the name is another image's now

# --- questions ----------------------------------------------------------------------------------------------------------

web_is() { docker ps -aq --no-trunc --filter label=com.docker.compose.service=web; }
web_runs() {
  [ "$(docker inspect -f '{{.Image}} {{.State.Running}}' "$(web_is)" 2>/dev/null)" = \
    "$(docker image inspect -f '{{.Id}}' "$1") true" ]
}
labels() { docker inspect "$(web_is)" | jq -S '.[0].Config.Labels | with_entries(select(.key | startswith("com.docker")))'; }
name_of() { inspect "$1" '{{.Name}}' | tr -d /; }
pin_is() { [ "$(service "$1" '.pin.image // "none"')" = "$2" ]; }
closed_as() { [ "$(incident 1 '.outcome // "open"')" = "$1" ]; }

compose_file() { mkdir -p "$home/shop" && cat >"$home/shop/compose.yaml"; }

learn_by() { configure <<<$'[defaults]\non_restarts = rollback, stop\ngood_after = 2s\nverify = 4s'; }

# The good one is learned, the bad one deployed, and the good one is back: break_and_return FAMILY.
deploy_good() {
  setup_images
  learn_by
  watch
  publish app:1.0
  "$1" up -d
  web=$(name_of "$(web_is)")
  wait_until 20 pin_is "$web" app:latest
  publish app:1.1
}

wait_for_return() {
  wait_until 60 web_runs app:1.0
  wait_until 60 closed_as recovered
  wait_until 30 one_web
}
one_web() { [ "$(web_is | wc -l)" = 1 ]; }

# --- 6, 42 --------------------------------------------------------------------------------------------------------------

a_life_with_compose() {
  compose_file <<'END'
version: "3.8"
services:
  web:
    image: app:latest
    restart: always
    stop_grace_period: 1s
    networks: [front]
    volumes: ["data:/data"]
    labels: {tier: front}
networks: {front: {}}
volumes: {data: {}}
END
  deploy_good "$1"
  "$1" up -d
  before=$(labels)
  wait_for_return
  back=$(web_is)
  diff <(echo "$before") <(labels)
  # Up again, for whatever reason: it is left alone.
  "$1" up -d
  expect "$(web_is)" "$back"
  web_runs app:1.0
  "$1" ps | grep -q "$web"
  "$1" logs web | grep -q 'app 1.0'
  # shellcheck disable=SC2016 # a variable of the container
  expect "$("$1" exec -T web sh -c 'echo $APP_VERSION')" 1.0
  "$1" restart -t 0 web
  web_runs app:1.0
  # The image is repaired: it is deployed, and nobody minds.
  publish app:1.2
  "$1" up -d
  web_runs app:1.2
  one_web
  [ "$(web_is)" != "$back" ]
  wait_until 20 pin_is "$web" app:latest
  "$1" down
  expect "$(docker ps -aq | wc -l)" 0
  expect "$(incidents)" 1
}

@test "6, 42: what was rolled back is compose 1's as before: up leaves it alone, another image is deployed, down ends it" {
  has_family 1
  # It reads what is gone from the inspect of an image since API 1.45: "ERROR: 'ContainerConfig'".
  [ "$(docker version -f '{{.Server.APIVersion}}')" = 1.41 ] || skip "compose 1 itself can recreate nothing on this Engine"
  a_life_with_compose family_1
}

@test "6, 42: what was rolled back is compose 2's as before: up leaves it alone, another image is deployed, down ends it" {
  has_family 2
  a_life_with_compose family_2
}

# Its containers are made anew before the old ones go, or it would end with them.
@test "42: up in the foreground survives" {
  has_family 2
  compose_file <<'END'
services:
  web: {image: "app:latest", restart: always, stop_grace_period: 1s}
  side: {image: "bb:1", command: [sleep, "86400"], stop_grace_period: 1s}
END
  deploy_good family_2
  "$here/engine.sh" compose --file "$home/shop/compose.yaml" --project-name shop up >"$home/foreground" 2>&1 </dev/null 3>&- &
  foreground=$!
  wait_for_return
  wait_until 20 grep -q 'app 1.1' "$home/foreground"
  kill -0 "$foreground"
  kill -INT "$foreground"
  wait "$foreground" || true
  web_is_down
}
web_is_down() { [ "$(inspect "$(web_is)" '{{.State.Running}}')" = false ]; }

# --- 43 -----------------------------------------------------------------------------------------------------------------

files_of() { docker exec "$(web_is)" sh -c 'for f in /run/secrets/token /run/secrets/plain /etc/app/app.conf; do ls -ln $f; cat $f; done' |
  sed 's/[A-Z][a-z][a-z] [ 0-9]* [0-9:]* //'; }

@test "43: secrets of the environment and configs of the file itself are in the new one, with owner and mode" {
  has_family 2
  export SHOP_TOKEN=hush-$RANDOM
  compose_file <<'END'
services:
  web:
    image: app:latest
    restart: always
    stop_grace_period: 1s
    secrets:
      - {source: token, uid: "5", gid: "6", mode: 0o400}
      - plain
    configs:
      - {source: conf, target: /etc/app/app.conf, uid: "7", gid: "8", mode: 0o440}
secrets:
  token: {environment: SHOP_TOKEN}
  plain: {environment: SHOP_TOKEN}
configs:
  conf: {content: "greeting = ahoy\n"}
END
  deploy_good family_2
  before=$(files_of)
  family_2 up -d
  wait_for_return
  expect "$(files_of)" "$before"
  expect_like "$before" $'r-------- +1 5 +6 .*/run/secrets/token\n'"$SHOP_TOKEN"
  expect_like "$before" $'r--r----- +1 7 +8 .*/etc/app/app.conf\n'greeting
  run ! grep -q "$SHOP_TOKEN" "$log"
  family_2 down
}

@test "43: a root that is read only has nothing copied into it, and is no hindrance" {
  has_family 2
  compose_file <<'END'
services:
  web: {image: "app:latest", restart: always, read_only: true, stop_grace_period: 1s}
END
  deploy_good family_2
  family_2 up -d
  wait_for_return
  expect "$(inspect "$(web_is)" '{{.HostConfig.ReadonlyRootfs}}')" true
  family_2 down
}

# --- 44 -----------------------------------------------------------------------------------------------------------------

@test "44: who depends on it with restart: true is restarted behind it, and nobody else" {
  has_family 2
  compose_file <<'END'
services:
  web: {image: "app:latest", restart: always, stop_grace_period: 1s}
  worker:
    image: bb:1
    command: [sleep, "86400"]
    stop_grace_period: 1s
    depends_on: {web: {condition: service_started, restart: true}}
  reader:
    image: bb:1
    command: [sleep, "86400"]
    stop_grace_period: 1s
    depends_on: {web: {condition: service_started}}
END
  deploy_good family_2
  family_2 up -d
  worker=$(started shop-worker-1) reader=$(started shop-reader-1)
  wait_for_return
  wait_until 20 log_has 'restarted behind it: shop-worker-1'
  [ "$(started shop-worker-1)" != "$worker" ]
  expect "$(started shop-reader-1)" "$reader"
  expect "$(incidents)" 1
  family_2 down
}
