#!/usr/bin/env bats
# A container made again with another image, on a real Engine: what is created is held against what the Engine makes of
# the same wishes when they are given to it afresh. tests/e2e/recreate.c makes the new one beside the old one.

# shellcheck disable=SC2154 # home: lib.bash
load lib

tool=$here/../../build/release/tests/e2e/recreate

setup_file() {
  E2E_DIR=${E2E_DIR:-$(mktemp -d /tmp/seadog-e2e.XXXXXX)}
  export E2E_DIR
  export DOCKER_HOST=unix://$E2E_DIR/docker.sock
  command make -s -C "$here/../.." build/release/tests/e2e/recreate
  engine start "${E2E_ENGINE:-host}" "$E2E_DIR"
  engine image "$E2E_DIR" bb:1
  engine image "$E2E_DIR" broken:0 -c 'ENV VERSION=2' -c 'ENV SAME=s' -c 'ENV ONLY_BROKEN=1' \
    -c 'LABEL version=2' -c 'LABEL same=s' -c 'LABEL only.broken=1' \
    -c 'ENTRYPOINT ["/bin/sh","-c"]' -c 'CMD ["sleep 2000"]' -c 'EXPOSE 80' -c 'EXPOSE 82' -c 'VOLUME /both' \
    -c 'VOLUME /only-broken' -c 'WORKDIR /tmp' -c 'USER 1:1' -c 'HEALTHCHECK --interval=7s --retries=9 CMD false'
  engine image "$E2E_DIR" good:0 -c 'ENV VERSION=1' -c 'ENV SAME=s' -c 'ENV ONLY_GOOD=1' \
    -c 'LABEL version=1' -c 'LABEL same=s' -c 'LABEL only.good=1' \
    -c 'ENTRYPOINT ["/bin/busybox","sleep"]' -c 'CMD ["1000"]' -c 'EXPOSE 81' -c 'EXPOSE 82' -c 'VOLUME /both' \
    -c 'VOLUME /only-good' -c 'WORKDIR /bin' -c 'USER 2:2' -c 'HEALTHCHECK --interval=8s --timeout=3s CMD true'
  signal_image broken SIGINT
  signal_image good SIGQUIT
}

eval "$(declare -f teardown | sed '1s/teardown/end_test/')"

teardown() {
  end_test
  docker network prune -f >/dev/null
  docker volume prune -f >/dev/null
}

# The client's import knows no STOPSIGNAL on the older Engines.
signal_image() {
  docker create --name signal --stop-signal "$2" "$1:0" >/dev/null
  docker commit signal "$1:1" >/dev/null
  docker rm -v signal >/dev/null
}

# --- the Engine's API -----------------------------------------------------------------------------------------------------

newest() { docker version --format '{{.Server.APIVersion}}'; }
at_least() { [ "$(printf '%s\n%s\n' "$1" "$(newest)" | sort -V | head -n 1)" = "$1" ]; }

# call METHOD PATH [BODY [API]]
call() {
  local answer
  answer=$(curl -sS --unix-socket "$E2E_DIR/docker.sock" -X "$1" -H 'Content-Type: application/json' ${3:+-d "$3"} \
    --write-out '\n%{http_code}' "http://engine/v${4:-$(newest)}$2")
  head -n -1 <<<"$answer"
  [ "$(tail -n 1 <<<"$answer")" -lt 400 ] || { echo "$1 $2: $answer" >&2 && return 1; }
}

look_at() { call GET "/containers/$1/json"; }

# make NAME BODY [API]: creates it.
make() { call POST "/containers/create?name=$1" "$2" "${3:-}" >/dev/null; }

# again NAME IMAGE: makes it again beside it. $said is what the tool said, $new the new one's name.
again() {
  said=$("$tool" "$DOCKER_HOST" "$@" 3>&-) || { echo "$said" | jq -c 'del(.body)' && return 1; }
  expect "$(jq -c .differences <<<"$said")" '[]'
  new=$(jq -r .name <<<"$said")
}

refused() {
  run -5 "$tool" "$DOCKER_HOST" "$@"
  expect_like "$(jq -r .refused <<<"$output")" "$like"
}

# What it is besides its image, its names and where its data is. [""] as entrypoint is shown as null.
shape() {
  look_at "$1" | jq -S '{
    Path, Args,
    Config: (.Config | del(.Image, .Hostname) | .Env |= ((. // []) | sort)),
    Host: (.HostConfig | del(.Binds, .ContainerIDFile, .ConsoleSize, .Runtime)
      | if .RestartPolicy.Name == "" then .RestartPolicy.Name = "no" else . end),
    Networks: (.NetworkSettings.Networks | map_values({Addresses: (.IPAMConfig // {}), Links, DriverOpts: (.DriverOpts // {}), Mac: .MacAddress}))
  }'
}

# as_fresh BODY: a container of broken:1 with that body, made again of good:1, is the same as a fresh one of good:1 with it.
as_fresh() {
  count=$((${count:-0} + 1))
  local more=${1#\{}
  [ "$more" = "}" ] || more=", $more"
  make "was$count" "{\"Image\": \"broken:1\" $more" # as it stands: jq would read numbers as doubles
  make "fresh$count" "{\"Image\": \"good:1\" $more"
  again "was$count" good:1
  diff <(shape "fresh$count") <(shape "$new")
}

# --- the whole ------------------------------------------------------------------------------------------------------------

# About sixty options, as an API of 1.41 takes them.
sink() {
  cat <<END
{ "Image": "broken:1", "Hostname": "sink", "Domainname": "example.org", "User": "1000:1000", "AttachStdout": true,
  "Tty": true, "OpenStdin": true, "StdinOnce": true, "Env": ["SAME=mine", "EMPTY=", "VERSION", "NEW=a=b"],
  "Labels": {"same": "mine", "new": "1", "com.docker.compose.project": "p", "com.docker.compose.service": "web"},
  "Entrypoint": ["/bin/sh", "-c"], "Cmd": ["sleep 3000"], "WorkingDir": "/mnt", "StopSignal": "SIGUSR1", "StopTimeout": 3,
  "Healthcheck": {"Test": ["CMD", "true"], "Interval": 11000000000, "Timeout": 3000000000, "Retries": 2,
    "StartPeriod": 4000000000},
  "ExposedPorts": {"1234/udp": {}, "81/udp": {}, "9000/tcp": {}, "7000/tcp": {}, "7001/tcp": {}}, "Volumes": {"/anonymous": {}},
  "HostConfig": {
    "Memory": 67108864, "MemoryReservation": 33554432, "MemorySwap": 134217728, "MemorySwappiness": 10,
    "OomKillDisable": true, "NanoCpus": 500000000, "CpuShares": 512, "CpusetCpus": "0", "CpusetMems": "0", "PidsLimit": 100,
    "Ulimits": [{"Name": "nofile", "Soft": 1000, "Hard": 2000}, {"Name": "core", "Soft": 0, "Hard": 0}],
    "ShmSize": 33554432, "CapAdd": ["NET_ADMIN", "SYS_TIME"], "CapDrop": ["MKNOD"], "GroupAdd": ["20", "27"],
    "SecurityOpt": ["no-new-privileges", "seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}"], "ReadonlyRootfs": true,
    "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/mine", "CgroupPermissions": "rw"}],
    "DeviceCgroupRules": ["c 1:3 mr"],
    "DeviceRequests": [{"Driver": "", "Count": -1, "DeviceIDs": null, "Capabilities": [["gpu"]], "Options": {}}],
    "Sysctls": {"net.core.somaxconn": "1000"}, "Tmpfs": {"/run": "size=1m,mode=755", "/plain": ""},
    "Binds": ["named:/named:ro", "$E2E_DIR/bind:/bind:ro,rslave", "/unnamed"],
    "Mounts": [{"Type": "volume", "Target": "/mounted"},
      {"Type": "volume", "Source": "named", "Target": "/other", "VolumeOptions": {"NoCopy": true, "Labels": {"x": "y"}}},
      {"Type": "tmpfs", "Target": "/small", "TmpfsOptions": {"SizeBytes": 1048576, "Mode": 1000}},
      {"Type": "bind", "Source": "$E2E_DIR/bind", "Target": "/other-bind", "ReadOnly": true,
        "BindOptions": {"Propagation": "rshared"}}],
    "PortBindings": {"80/tcp": [{"HostPort": "8001"}, {"HostIp": "127.0.0.1", "HostPort": "8002"}],
      "81/udp": [{"HostIp": "::1", "HostPort": "8003"}], "9000/tcp": [{"HostPort": ""}],
      "7000/tcp": [{"HostPort": "7000-7002"}], "7001/tcp": [{"HostPort": "0"}]},
    "Dns": ["10.0.0.1"], "DnsSearch": ["example.org"], "DnsOptions": ["ndots:2"], "ExtraHosts": ["h:10.1.2.3"],
    "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
    "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 4}, "Init": true, "OomScoreAdj": 100,
    "UsernsMode": "host", "IpcMode": "private", "PidMode": "host", "CgroupnsMode": "private", "CgroupParent": "/seadog",
    "Runtime": "runc", "MaskedPaths": ["/proc/kcore"], "ReadonlyPaths": [], "VolumeDriver": "local",
    "NetworkMode": "one" },
  "NetworkingConfig": {"EndpointsConfig": {"one": {"Aliases": ["al1", "al2"], "Links": ["peer:pp"],
    "IPAMConfig": {"IPv4Address": "10.77.0.9", "IPv6Address": "fd00:77::9"}}}} }
END
}

make_networks() {
  docker network create --subnet 10.77.0.0/24 --ipv6 --subnet fd00:77::/64 one >/dev/null
  docker network create --subnet 10.78.0.0/24 two >/dev/null
  docker create --name peer bb:1 sleep 1000 >/dev/null
}

# What a newer API takes in one create.
newer() {
  jq -c '.Healthcheck.StartInterval = 2000000000 | .HostConfig.Annotations = {"a": "b"}
    | .NetworkingConfig.EndpointsConfig.one.MacAddress = "02:11:22:33:44:55"
    | .NetworkingConfig.EndpointsConfig.one.DriverOpts = {"x": "y"}
    | .NetworkingConfig.EndpointsConfig.two = {"Aliases": ["t1"], "MacAddress": "02:11:22:33:44:66",
        "IPAMConfig": {"IPv4Address": "10.78.0.7"}}'
}

make_sink() {
  mkdir -p "$E2E_DIR/bind"
  make_networks
  if at_least 1.44; then
    make sink "$(sink | newer)"
    return
  fi
  make_old_sink '.MacAddress = "02:11:22:33:44:55"'
}

# make_old_sink CHANGES: as an API that takes one network makes it.
make_old_sink() {
  make sink "$(sink | jq -c "$1")" 1.41
  docker network connect --alias t1 --ip 10.78.0.7 two sink
}

# Everything that the Engine shows but what is the new one's own, by nobody's rules but these lines.
everything() {
  look_at "$1" | jq -S --arg short "$(inspect "$1" '{{slice .Id 0 12}}')" '
    del(.Id, .Created, .State, .ResolvConfPath, .HostnamePath, .HostsPath, .LogPath, .Name, .GraphDriver, .Config.Image,
      .HostConfig.Binds, .HostConfig.Mounts)
    | .Mounts |= (map({Type, Name: (.Name // .Source), Destination, RW, Propagation}
        | if .Type == "volume" then .Name |= sub("^.*/(?<name>[^/]+)/_data$"; "\(.name)") else . end)
        | sort_by(.Destination))
    | .Config.Env |= sort
    | .NetworkSettings.Networks |= map_values({IPAMConfig, Links, DriverOpts: (.DriverOpts // {}), GwPriority, MacAddress,
        Aliases: ((.Aliases // []) - [$short] | sort)})'
}

@test "1: a kitchen sink made again of its own image is the same in all that the Engine shows" {
  make_sink
  again sink broken:1
  expect "$(jq -c .changes <<<"$said")" '[]'
  expect "$(jq -c .left_behind <<<"$said")" '[]'
  diff <(everything sink) <(everything "$new")
  [ "$(everything sink | jq '[paths(scalars)] | length')" -gt 100 ]
}

@test "1: and so is what was made of it, once more" {
  make_sink
  again sink broken:1
  docker rename sink gone
  docker rename "$new" once
  docker rm -f gone >/dev/null
  again once broken:1
  diff <(everything once) <(everything "$new")
}

# Through that API a newer Engine shows a container's own name among its aliases, so it becomes one; and it makes read-only
# binds that are not so below other mounts, and shows that.
@test "1: through the oldest API, too, and what that cannot carry is no clone" {
  mkdir -p "$E2E_DIR/bind"
  make_networks
  make_old_sink '.MacAddress = "02:11:22:33:44:55" | .HostConfig.Mounts[3].ReadOnly = false'
  nameless='.NetworkSettings.Networks |= map_values(.Aliases -= ["sink"])'
  RECREATE_API=1.41 again sink broken:1
  expect "$(jq -c '.links' <<<"$said")" '["/networks/two/connect"]'
  diff <(everything sink | jq "$nameless") <(everything "$new" | jq "$nameless")
  at_least 1.44 || return 0
  make annotated '{"Image": "broken:1", "HostConfig": {"Annotations": {"a": "b"}}}'
  RECREATE_API=1.41 run -1 "$tool" "$DOCKER_HOST" annotated broken:1
  expect "$(jq -c .differences <<<"$output")" '["HostConfig.Annotations: nothing, was {\"a\":\"b\"}"]'
}

# --- what is the image's, and what was given ------------------------------------------------------------------------------

@test "2: what the broken image brought is gone, what the good one brings is there" {
  as_fresh '{}'
  diff - <(jq -r .changes[] <<<"$said" | sed 's/^\(Healthcheck\).*/\1/' | sort) <<'END'
Cmd: ["1000"], was ["sleep 2000"]
Entrypoint: ["/bin/busybox","sleep"], was ["/bin/sh","-c"]
Env: + ONLY_GOOD
Env: - ONLY_BROKEN
Env: ~ VERSION
ExposedPorts: + 81/tcp
ExposedPorts: - 80/tcp
Healthcheck
Labels: + only.good
Labels: - only.broken
Labels: ~ version
StopSignal: "SIGQUIT", was "SIGINT"
User: "2:2", was "1:1"
Volumes: + /only-good
Volumes: - /only-broken
WorkingDir: "/bin", was "/tmp"
END
}

@test "3: what was given survives, though the image says the same, or something else" {
  as_fresh '{"User": "3:3", "WorkingDir": "/mnt", "StopSignal": "SIGHUP", "StopTimeout": 5, "Tty": true,
    "Env": ["VERSION=mine", "EMPTY=", "SAME", "A=b=c"], "Labels": {"version": "mine", "same": "", "new": "x"},
    "ExposedPorts": {"80/udp": {}}, "Volumes": {"/mine": {}}}'
  expect "$(look_at "$new" | jq -c '[.Config.Env[] | select(. == "SAME" or . == "EMPTY=")] | sort')" '["EMPTY=","SAME"]'
}

@test "4: the table of entrypoint and command, all of its rows" {
  as_fresh '{}'
  as_fresh '{"Cmd": ["given"]}'
  as_fresh '{"Entrypoint": ["/bin/echo"]}'
  as_fresh '{"Entrypoint": ["/bin/echo"], "Cmd": ["given"]}'
  as_fresh '{"Entrypoint": [""], "Cmd": ["given"]}'
  expect "$(look_at "$new" | jq -c '[.Config.Entrypoint, .Config.Cmd]')" '[null,["given"]]'
  as_fresh '{"Entrypoint": []}'
  as_fresh '{"Entrypoint": [], "Cmd": ["given"]}'
  # the same entrypoint as the image's, given: its own command does not come back, and no other comes in
  make same '{"Image": "broken:1", "Entrypoint": ["/bin/sh", "-c"]}'
  again same good:1
  expect "$(look_at "$new" | jq -c '[.Config.Entrypoint, .Config.Cmd]')" '[["/bin/sh","-c"],null]'
}

@test "5: health checks: none, a part of one, one of its own, one where the image has none" {
  as_fresh '{"Healthcheck": {"Test": ["NONE"]}}'
  as_fresh '{"Healthcheck": {"Retries": 5}}'
  as_fresh '{"Healthcheck": {"Test": ["CMD", "true"], "Interval": 1000000000, "Timeout": 2000000000}}'
  make checked '{"Image": "bb:1", "Cmd": ["true"], "Healthcheck": {"Test": ["CMD", "true"], "Retries": 5}}'
  again checked good:1
  expect "$(look_at "$new" | jq -c '.Config.Healthcheck | [.Test, .Retries, .Interval]')" '[["CMD","true"],5,8000000000]'
}

@test "6: compose's labels stay, though the broken image has them as well and the good one has not" {
  engine image "$E2E_DIR" built:1 -c 'LABEL com.docker.compose.service=web' -c 'CMD ["true"]'
  make web '{"Image": "built:1", "Labels": {"com.docker.compose.project": "p", "com.docker.compose.service": "web"}}'
  again web good:1
  expect "$(look_at "$new" | jq -c '.Config.Labels | [."com.docker.compose.service", ."com.docker.compose.project"]')" \
    '["web","p"]'
}

# --- ports ----------------------------------------------------------------------------------------------------------------

# An Engine that tries a few ports at a time forgets now and then to give those back that it had.
begins() { docker start "$1" >/dev/null 2>&1; }
published() { docker port "$1" | sort | tr '\n' ' '; }

@test "7: a port that only the broken image exposes stays published; one that nobody exposes stays closed" {
  make web '{"Image": "broken:1", "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "8080"}], "85/tcp": [{"HostPort": "8085"}]}}}'
  docker start web >/dev/null
  expect_like "$(published web)" '^80/tcp -> 0.0.0.0:8080 [^5]*$'
  again web good:1
  docker stop -t 0 web >/dev/null
  docker start "$new" >/dev/null
  expect_like "$(published "$new")" '^80/tcp -> 0.0.0.0:8080 [^5]*$'
}

@test "8: any port, ranges, 0, udp, two bindings of one port, IPv6" {
  make web '{"Image": "broken:1", "ExposedPorts": {"1/tcp": {}, "2/udp": {}, "3/tcp": {}, "4/tcp": {}, "5/tcp": {}},
    "HostConfig": {"PortBindings": {"1/tcp": [{"HostPort": "20000-20010"}], "2/udp": [{"HostPort": "0"}], "3/tcp": [],
      "4/tcp": [{"HostPort": "8001"}, {"HostIp": "127.0.0.1", "HostPort": "8002"}], "5/tcp": [{"HostIp": "::1", "HostPort": "8003"}]}}}'
  wait_until 30 begins web
  again web good:1
  expect "$(jq -c '[.warnings[] | select(test("chosen anew"))] | length' <<<"$said")" 3
  expect "$(look_at "$new" | jq -c '.HostConfig.PortBindings | [.[]] | sort')" \
    "$(jq -c '.HostConfig.PortBindings["3/tcp"] = [{HostIp: "", HostPort: ""}] | .HostConfig.PortBindings | [.[]] | sort' \
      <(look_at web))"
  docker stop -t 0 web >/dev/null
  wait_until 30 begins "$new"
  expect_like "$(published "$new")" '1/tcp -> .*2/udp -> .*3/tcp -> .*4/tcp -> .*127.0.0.1:8002.*5/tcp -> '
}

@test "9: all that the image exposes is what the good image exposes" {
  make web '{"Image": "broken:1", "HostConfig": {"PublishAllPorts": true}}'
  again web good:1
  docker start "$new" >/dev/null
  expect "$(look_at "$new" | jq -c '.NetworkSettings.Ports | keys')" '["81/tcp","82/tcp"]'
}

# --- names and networks ---------------------------------------------------------------------------------------------------

hostname_of() { look_at "$1" | jq -r .Config.Hostname; }

@test "10: host names" {
  as_fresh '{"Hostname": "mine", "Domainname": "example.org"}'
  as_fresh '{"Hostname": "mine.example.org"}'
  as_fresh '{"HostConfig": {"NetworkMode": "host"}}'
  as_fresh '{"HostConfig": {"UTSMode": "host"}}'
  make web '{"Image": "broken:1"}'
  again web good:1
  expect "$(hostname_of "$new")" "$(inspect "$new" '{{slice .Id 0 12}}')"
  docker run -d --name owner --hostname owner bb:1 sleep 1000 >/dev/null
  make joined '{"Image": "broken:1", "HostConfig": {"NetworkMode": "container:owner"}}'
  docker start joined >/dev/null
  again joined good:1
  docker start "$new" >/dev/null
  expect "$(hostname_of "$new")" owner
}

@test "11: static addresses: not while the old one runs, at once when it has stopped" {
  docker network create --subnet 10.79.0.0/24 --ipv6 --subnet fd00:79::/64 static >/dev/null
  docker run -d --name web --network static --ip 10.79.0.9 --ip6 fd00:79::9 broken:1 >/dev/null
  again web good:1
  run -1 docker start "$new"
  expect_like "$output" 'Address already in use'
  docker stop -t 0 web >/dev/null
  docker start "$new" >/dev/null
  expect "$(look_at "$new" | jq -c '.NetworkSettings.Networks.static | [.IPAddress, .GlobalIPv6Address]')" \
    '["10.79.0.9","fd00:79::9"]'
}

@test "12: three networks, of which the one it was made in stays the first; by the oldest API, too" {
  docker network create --subnet 10.80.0.0/24 zulu >/dev/null
  docker network create --subnet 10.81.0.0/24 alpha >/dev/null
  docker network create --subnet 10.82.0.0/24 mike >/dev/null
  docker run -d --name web --network zulu --network-alias z broken:1 >/dev/null
  docker network connect --alias a --ip 10.81.0.5 alpha web
  docker network connect --alias m mike web
  for api in 1.41 "$(newest)"; do
    RECREATE_API=$api again web good:1
    docker rename web "old.$api"
    docker rename "$new" web
    docker stop -t 0 "old.$api" >/dev/null
    docker start web >/dev/null
    docker rm "old.$api" >/dev/null
    expect "$(inspect web '{{.HostConfig.NetworkMode}}')" zulu
    expect "$(look_at web | jq -c '.NetworkSettings.Networks | keys')" '["alpha","mike","zulu"]'
    expect "$(look_at web | jq -c '[.NetworkSettings.Networks | .alpha.IPAddress, (.zulu.Aliases[] | select(. == "z"))]')" \
      '["10.81.0.5","z"]'
    docker run --rm --network mike bb:1 busybox nslookup m >/dev/null
  done
}

@test "13: aliases: another container's short ID stays, none is sent on the default bridge" {
  docker network create --subnet 10.83.0.0/24 aliased >/dev/null
  docker create --name web --network aliased --network-alias 0123456789ab --network-alias w broken:1 >/dev/null
  again web good:1
  expect_like "$(jq -c .warnings <<<"$said")" '0123456789ab on aliased is another'
  short=$(inspect "$new" '{{slice .Id 0 12}}')
  expect "$(look_at "$new" | jq -c ".NetworkSettings.Networks.aliased.Aliases - [\"$short\"] | sort")" '["0123456789ab","w"]'
  docker run -d --name plain broken:1 >/dev/null
  again plain good:1
  docker start "$new" >/dev/null
}

mac_of() { look_at "$1" | jq -r ".NetworkSettings.Networks.${2:-bridge}.MacAddress"; }

@test "14: a MAC address that was given stays, one that was generated is not pinned" {
  make given '{"Image": "broken:1", "MacAddress": "02:11:22:33:44:55"}' 1.41
  docker start given >/dev/null
  again given good:1
  docker stop -t 0 given >/dev/null
  docker start "$new" >/dev/null
  expect "$(mac_of "$new")" 02:11:22:33:44:55
  docker run -d --name generated broken:1 >/dev/null
  again generated good:1
  expect "$(jq -r '.body.MacAddress, .body.NetworkingConfig.EndpointsConfig.bridge.MacAddress' <<<"$said" | sort -u)" null
}

@test "14: on a second network two starts tell a MAC address that was given from one that was generated" {
  at_least 1.44 || skip "needs a create with two endpoints"
  docker network create --subnet 10.84.0.0/24 first >/dev/null
  docker network create --subnet 10.85.0.0/24 second >/dev/null
  docker network create --subnet 10.86.0.0/24 third >/dev/null
  make web '{"Image": "broken:1", "HostConfig": {"NetworkMode": "first"}, "NetworkingConfig": {"EndpointsConfig": {"first": {},
    "second": {"MacAddress": "02:11:22:33:44:66"}, "third": {}}}}'
  docker start web >/dev/null
  look_at web >"$home/earlier"
  docker restart -t 0 web >/dev/null
  again web good:1 "$home/earlier"
  expect "$(jq -c '.body.NetworkingConfig.EndpointsConfig | [.second.MacAddress, .third.MacAddress]' <<<"$said")" \
    '["02:11:22:33:44:66",null]'
  docker stop -t 0 web >/dev/null
  docker start "$new" >/dev/null
  expect "$(mac_of "$new" second)" 02:11:22:33:44:66
}

@test "15: a network by its ID, one that was made again under its name, one that is gone" {
  id=$(docker network create --subnet 10.87.0.0/24 byid)
  make web "{\"Image\": \"broken:1\", \"HostConfig\": {\"NetworkMode\": \"$id\"}}"
  docker start web >/dev/null
  again web good:1
  docker rm -f "$new" >/dev/null
  docker stop -t 0 web >/dev/null
  docker network rm byid >/dev/null
  like='^its network .* is gone$' refused web good:1
  docker network create --subnet 10.87.0.0/24 byid >/dev/null
  make named '{"Image": "broken:1", "HostConfig": {"NetworkMode": "byid"}}'
  docker network rm byid >/dev/null
  docker network create --subnet 10.87.0.0/24 byid >/dev/null
  again named good:1
  docker start "$new" >/dev/null
}

@test "a network that it was disconnected from by hand does not come back" {
  docker network create --subnet 10.88.0.0/24 only >/dev/null
  docker run -d --name web broken:1 >/dev/null
  docker network connect only web
  docker network disconnect bridge web
  again web good:1
  expect "$(look_at "$new" | jq -c '.NetworkSettings.Networks | keys')" '["only"]'
  docker start "$new" >/dev/null
  expect "$(look_at "$new" | jq -c '.NetworkSettings.Networks | keys')" '["only"]'
}

# --- data -----------------------------------------------------------------------------------------------------------------

@test "16, 17: what was written into volumes without a name is there" {
  before=$(docker volume ls -q | wc -l)
  make web '{"Image": "broken:1", "User": "0", "Volumes": {"/mine": {}, "/closed": {}}, "HostConfig": {"Binds": ["/bound"],
    "Mounts": [{"Type": "volume", "Target": "/mounted"}]}}'
  docker start web >/dev/null
  for place in mine bound mounted both only-broken; do docker exec web sh -c "echo $place >/$place/f"; done
  again web good:1
  docker stop -t 0 web >/dev/null
  docker start "$new" >/dev/null
  for place in mine bound mounted both; do expect "$(docker exec "$new" cat "/$place/f")" "$place"; done
  run ! docker exec "$new" ls /only-broken
  left=$(jq -r '.left_behind[]' <<<"$said")
  expect "$(inspect web '{{range .Mounts}}{{if eq .Destination "/only-broken"}}{{.Name}}{{end}}{{end}}')" "$left"
  docker rm web >/dev/null
  docker rm -fv "$new" >/dev/null
  # shellcheck disable=SC2086 # one name
  docker volume inspect $left >/dev/null
  expect "$(docker volume ls -q | wc -l)" "$((before + $(jq '[.body.HostConfig | .Binds[], .Mounts[]] | length' <<<"$said") + 1))"
}

@test "16: a volume from the image that is read only" {
  docker volume create closed >/dev/null
  make source '{"Image": "broken:1", "HostConfig": {"Binds": ["closed:/both:ro"]}}'
  again source good:1
  expect "$(look_at "$new" | jq -c '[.Mounts[] | select(.Destination == "/both") | .Name, .RW]')" '["closed",false]'
}

@test "18: volumes of another container, which is there, and which is gone" {
  docker run --name source -v data:/data -v /unnamed bb:1 sh -c 'echo kept >/unnamed/f' >/dev/null
  make web '{"Image": "broken:1", "HostConfig": {"VolumesFrom": ["source:ro"]}}'
  again web good:1
  expect "$(look_at "$new" | jq -c '[.HostConfig.VolumesFrom, .HostConfig.Binds | length]')" '[1,1]' # /both
  docker rm -f "$new" source >/dev/null
  again web good:1
  expect "$(look_at "$new" | jq -c '[.HostConfig.VolumesFrom, .HostConfig.Binds | length]')" '[0,3]'
  expect_like "$(jq -c .warnings <<<"$said")" 'source, which it has volumes from, is gone'
  docker start "$new" >/dev/null
  expect "$(docker exec "$new" cat /unnamed/f)" kept
  run -1 docker exec -u 0 "$new" touch /unnamed/g
}

@test "19: tmpfs, given both ways" {
  as_fresh '{"HostConfig": {"Tmpfs": {"/t": "size=1m,mode=755", "/plain": ""}, "Mounts": [{"Type": "tmpfs", "Target": "/m",
    "TmpfsOptions": {"SizeBytes": 1048576, "Mode": 1000}}]}}'
}

@test "20: where the source of a bind is gone nothing is touched" {
  mkdir -p "$E2E_DIR/gone"
  make web "{\"Image\": \"broken:1\", \"HostConfig\": {\"Mounts\": [{\"Type\": \"bind\", \"Source\": \"$E2E_DIR/gone\", \"Target\": \"/m\"}]}}"
  rmdir "$E2E_DIR/gone"
  run -1 "$tool" "$DOCKER_HOST" web good:1
  expect_like "$output" 'bind source path does not exist'
  expect "$(docker ps -a --format '{{.Names}}')" web
}

# --- what else a HostConfig can hold --------------------------------------------------------------------------------------

@test "21: links, on the default bridge and on one's own network" {
  docker run -d --name peer bb:1 sleep 1000 >/dev/null
  docker run -d --name web --link peer:p --link peer:q broken:1 >/dev/null
  again web good:1
  docker start "$new" >/dev/null
  expect "$(docker exec -u 0 "$new" busybox grep -c peer /etc/hosts)" 2
}

@test "22: a GPU is asked for as it was" {
  as_fresh '{"HostConfig": {"DeviceRequests": [{"Driver": "", "Count": -1, "DeviceIDs": null, "Capabilities": [["gpu"]],
    "Options": {}}]}}'
}

@test "23, 26: numbers that no double holds, and members that nobody knows" {
  as_fresh '{"Unheard": 1, "HostConfig": {"Memory": 9223372036854771712, "MemorySwap": -1, "OomKillDisable": true,
    "MemorySwappiness": 7, "KernelMemory": 0, "CpuShares": 1024, "NewThing": {"a": [1]}}}'
  expect "$(look_at "$new" | grep -o '"Memory":[0-9]*')" '"Memory":9223372036854771712'
}

@test "24: the sysctl of an interface" {
  api=1.41
  ! at_least 1.48 || api=1.47
  make web '{"Image": "broken:1", "HostConfig": {"Sysctls": {"net.ipv4.conf.eth0.forwarding": "1", "net.core.somaxconn": "99"}}}' $api
  docker start web >/dev/null
  again web good:1
  docker start "$new" >/dev/null
  expect "$(docker exec "$new" cat /proc/sys/net/ipv4/conf/eth0/forwarding /proc/sys/net/core/somaxconn | tr '\n' ' ')" '1 99 '
}

@test "25: privileged, nothing masked, a seccomp profile of one's own" {
  as_fresh '{"HostConfig": {"Privileged": true}}'
  as_fresh '{"HostConfig": {"MaskedPaths": [], "ReadonlyPaths": []}}'
  as_fresh '{"HostConfig": {"SecurityOpt": ["seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}"], "CapAdd": ["ALL"]}}'
}

# --- images and other containers ------------------------------------------------------------------------------------------

@test "28: a target without a tag, by its ID, whatever its tag names now" {
  id=$(docker image inspect good:1 -f '{{.Id}}')
  make web '{"Image": "broken:1"}'
  docker tag broken:1 good:1
  again web "$id"
  expect "$(inspect "$new" '{{.Image}}')" "$id"
  docker tag "$id" good:1
}

@test "41: who depends on it is named, and it is refused" {
  docker run -d --name web --ipc shareable broken:1 >/dev/null
  docker run -d --name net --network container:web bb:1 sleep 1000 >/dev/null
  docker run -d --name pid --pid container:web bb:1 sleep 1000 >/dev/null
  docker run -d --name ipc --ipc container:web bb:1 sleep 1000 >/dev/null
  docker run -d --name link --link web:w bb:1 sleep 1000 >/dev/null
  docker create --name from --volumes-from web bb:1 true >/dev/null
  run -5 "$tool" "$DOCKER_HOST" web good:1
  expect_like "$output" 'net \(network\)'
  expect_like "$output" 'pid \(pid\)'
  expect_like "$output" 'ipc \(ipc\)'
  expect_like "$output" 'link \(link\)'
  [[ $output != *from* ]]
  docker rm -f net pid ipc link >/dev/null
  again web good:1
  like="${new/./\\.} is there still" refused web good:1
}

@test "46: what must not be made again" {
  make auto '{"Image": "broken:1", "HostConfig": {"AutoRemove": true}}'
  like='removed when it stops' refused auto good:1
  make task '{"Image": "broken:1", "Labels": {"com.docker.swarm.task.id": "x"}}'
  like='Swarm' refused task good:1
  make pod '{"Image": "broken:1", "Labels": {"io.kubernetes.pod.name": "x"}}'
  like='Kubernetes' refused pod good:1
  docker run -d --name paused broken:1 >/dev/null
  docker pause paused >/dev/null
  like='paused' refused paused good:1
  docker unpause paused >/dev/null
}
