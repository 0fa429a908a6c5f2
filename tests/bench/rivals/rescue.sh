#!/bin/bash
# rescue.sh SOCKET NAME IMAGE [now]: a rollback as a person writes it with docker's client and jq, for a container with the
# usual options: at the fifth death, or now, the same container is made from IMAGE, takes the other's place, and is looked
# at; then the other one is removed.
docker=("${DOCKER:-docker}" -H "unix://$1")
name=$2 image=$3

# What docker create is to be told, an argument a line: what the container has and its image has not given it.
# shellcheck disable=SC2016 # jq's
options='
  (.[0]) as $c | (.[1].Config) as $i | $c.HostConfig as $h
  | ($c.NetworkSettings.Networks | to_entries) as $networks
  | ["--restart", ($h.RestartPolicy | .Name + if .MaximumRetryCount > 0 then ":\(.MaximumRetryCount)" else "" end)]
  + ($c.Config.Env - ($i.Env // []) | map("--env", .))
  + ($c.Config.Labels | to_entries | map(select(.value != ($i.Labels // {})[.key])) | map("--label", "\(.key)=\(.value)"))
  + ($h.Binds // [] | map("--volume", .))
  + ($h.PortBindings // {} | to_entries | map(.key as $port | .value[] | "--publish",
      (if .HostIp == "" then "" else .HostIp + ":" end) + .HostPort + ":" + $port))
  + (if $h.Memory > 0 then ["--memory", "\($h.Memory)", "--memory-swap", "\($h.MemorySwap)"] else [] end)
  + (if $h.NanoCpus > 0 then ["--cpus", "\($h.NanoCpus / 1e9)"] else [] end)
  + (if ($h.PidsLimit // 0) > 0 then ["--pids-limit", "\($h.PidsLimit)"] else [] end)
  + (if $c.Config.User != ($i.User // "") then ["--user", $c.Config.User] else [] end)
  + ($h.CapDrop // [] | map("--cap-drop", .))
  + ["--hostname", $c.Config.Hostname, "--network", $h.NetworkMode]
  + ($networks | map(select(.key == $h.NetworkMode)) | first.value
    | if (.IPAMConfig.IPv4Address // "") != "" then ["--ip", .IPAMConfig.IPv4Address] else [] end
    + (.Aliases // [] | map(select(. != $c.Id[:12])) | map("--network-alias", .)))
  | .[]'
# shellcheck disable=SC2016
others='(.[0]) as $c | $c.NetworkSettings.Networks | keys[] | select(. != $c.HostConfig.NetworkMode)'

rollback() {
  was=$("${docker[@]}" inspect "$name") || exit
  both=$(jq -s 'add' <(echo "$was") <("${docker[@]}" image inspect "$(jq -r '.[0].Image' <<<"$was")"))
  mapfile -t arguments < <(jq -r "$options" <<<"$both")
  "${docker[@]}" create --name "$name-new" "${arguments[@]}" "$image" >/dev/null || exit
  for network in $(jq -r "$others" <<<"$both"); do
    "${docker[@]}" network connect "$network" "$name-new" || exit
  done
  "${docker[@]}" stop "$name" >/dev/null &&
    "${docker[@]}" rename "$name" "$name-old" &&
    "${docker[@]}" rename "$name-new" "$name" &&
    "${docker[@]}" start "$name" >/dev/null || exit
  sleep 1
  [ "$("${docker[@]}" inspect -f '{{.State.Running}}' "$name")" = true ] && "${docker[@]}" rm "$name-old" >/dev/null
}

if [ "${4:-}" = now ]; then
  rollback
  exit
fi
deaths=0
"${docker[@]}" events --filter "container=$name" --filter event=die --format '{{.ID}}' | while read -r _; do
  deaths=$((deaths + 1))
  if [ "$deaths" -eq 5 ]; then
    rollback </dev/null
    exit
  fi
done
