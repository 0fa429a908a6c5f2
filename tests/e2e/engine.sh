#!/bin/sh
# A private Engine for tests and the demo: its own network and mount namespace, its own data, its own socket.
#
#   engine.sh start VERSION DIR    the host's dockerd if it has that version (or for "host"), else that of the tree of its
#                                  Debian release in $ENGINE_TREES (default /var/cache/seadog/engines); waits for its answer
#                                  VERSION podman is that of the newest tree, behind the same socket;
#                                  DIR/etc/daemon.json is its configuration if somebody has put one there
#   engine.sh stop DIR | kill DIR  SIGTERM and wait, or SIGKILL: what is in DIR stays, start goes on with it
#   engine.sh remove DIR           stop, and take everything away
#   engine.sh image DIR [TAG […]]  imports an image of a busybox-static tree (default bb:1); more is for docker import
#   engine.sh has VERSION          whether that version can be had here; version VERSION says which it is exactly
#   engine.sh compose …            compose 2, of this machine or of the newest tree; podman DIR …: the newest tree's, as client
set -eu

trees=${ENGINE_TREES:-/var/cache/seadog/engines}

host_has() {
  case $(dockerd --version 2>/dev/null) in *" $1."*) return 0 ;; esac
  return 1
}

tree_of() {
  if [ "$1" = host ] || host_has "$1"; then
    echo /
    return
  fi
  case $1 in
  20.10) echo "$trees/bookworm" ;;
  26.1) echo "$trees/trixie" ;;
  28.5 | podman) echo "$trees/forky" ;;
  *) echo "engine.sh: no tree for Engine $1" >&2 && exit 2 ;;
  esac
}

has() {
  tree=$(tree_of "$1")
  [ "$1" != podman ] || { [ -x "$tree/usr/bin/podman" ] && return || return 1; }
  [ -x "$tree/usr/sbin/dockerd" ] || [ -x "$tree/usr/bin/dockerd" ]
}

version() {
  has "$1" || exit 3
  [ "$1" != podman ] || { of_tree forky /usr/bin/podman --version && return; }
  chroot "$(tree_of "$1")" dockerd --version | sed 's/^Docker version \([^,]*\).*/\1/'
}

wait_for_socket() {
  tries=0
  until docker -H "unix://$1/docker.sock" version >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$(cat "$1/unshare.pid")" 2>/dev/null; then
      echo "engine.sh: the Engine in $1 did not come up:" >&2
      tail -n 20 "$1/log" >&2
      exit 1
    fi
    sleep 0.2
  done
}

# Everything inside the namespaces; $1 is the tree, $2 the folder.
# shellcheck disable=SC2016
inside='
  tree=$1 dir=$2 version=$3
  mount --make-rprivate /
  ip link set lo up
  if ! mountpoint -q /sys/fs/cgroup; then # no init has done it: v1 where controllers are bound to it, else v2
    bound=$(awk "!/^#/ && \$2 { print \$1 }" /proc/cgroups)
    if [ -n "$bound" ]; then mount -t tmpfs cgroup /sys/fs/cgroup; else mount -t cgroup2 cgroup2 /sys/fs/cgroup; fi
    for controller in $bound; do
      mkdir -p "/sys/fs/cgroup/$controller"
      mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
    done
  fi
  set -- dockerd --data-root "$dir/data" --exec-root "$dir/exec" -p "$dir/docker.pid" -H "unix://$dir/docker.sock"
  [ ! -e "$dir/etc/daemon.json" ] || set -- "$@" --config-file "$dir/etc/daemon.json"
  iptables -t nat -nL >/dev/null 2>&1 || set -- "$@" --iptables=false --bridge=none
  if [ "$tree" = / ]; then
    mount --bind "$dir/etc" /etc/docker # the identity and the settings of this machine are not its own
    exec "$@"
  fi
  mount --bind "$tree" "$tree" # its root must be a mount: images are unpacked behind a remount of /
  for part in proc sys dev; do mount --rbind "/$part" "$tree/$part"; done
  mount -t tmpfs tmpfs "$tree/run"
  mkdir -p "$tree$dir"
  mount --rbind "$dir" "$tree$dir"
  cd "$tree" # not chroot: what enters a container later lands in the root of the namespace
  pivot_root . .
  umount -l .
  cd /
  if [ "$version" = podman ]; then
    export CONTAINERS_CONF_OVERRIDE="$dir/etc/containers.conf"
    echo $$ >"$dir/docker.pid"
    set -- podman --root "$dir/data" --runroot "$dir/exec" --tmpdir "$dir/exec/tmp" --cgroup-manager cgroupfs \
      --events-backend file system service --time 0 "unix://$dir/docker.sock"
  fi
  exec "$@"
'

start() {
  version=$1 dir=$2
  has "$version" || { echo "engine.sh: Engine $version is not here" >&2; exit 3; }
  mkdir -p "$dir/data" "$dir/exec" "$dir/etc" /etc/docker
  rm -f "$dir/docker.pid" "$dir/docker.sock"
  echo "$version" >"$dir/version"
  printf '[network]\nfirewall_driver = "none"\n' >"$dir/etc/containers.conf" # of Podman; it is about no ports
  # shellcheck disable=SC2016
  setsid unshare -n -m sh -c "$inside" engine "$(tree_of "$version")" "$dir" "$version" >>"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/unshare.pid"
  wait_for_socket "$dir"
}

gone() {
  tries=0
  while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 200 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
}

stop() {
  [ -s "$1/docker.pid" ] || return 0
  pid=$(cat "$1/docker.pid")
  kill "-$2" "$pid" 2>/dev/null || true
  gone "$pid"
}

# What belongs to this Engine and nobody else: containerd, shims and containers, by the folder they were started with.
sweep() {
  for pid in $(pgrep -f -- "$1/exec" || true); do
    kill -9 "$pid" 2>/dev/null || true
  done
}

# The mount point of the folder in the tree; the tree's /tmp goes with it where it is empty.
forget_place() {
  rmdir -p "$1$2" 2>/dev/null || true
  mkdir -p "$1/tmp"
  chmod 1777 "$1/tmp"
}

remove() {
  if [ -S "$1/docker.sock" ]; then
    # shellcheck disable=SC2046
    timeout 60 docker -H "unix://$1/docker.sock" rm -f $(docker -H "unix://$1/docker.sock" ps -aq 2>/dev/null) \
      >/dev/null 2>&1 || true
  fi
  stop "$1" TERM
  sweep "$1"
  if [ -s "$1/version" ]; then
    tree=$(tree_of "$(cat "$1/version")")
    [ "$tree" = / ] || forget_place "$tree" "$1"
  fi
  rm -rf "$1" 2>/dev/null || { sleep 1; rm -rf "$1"; }
}

image() {
  dir=$1 tag=${2:-bb:1}
  root=$(mktemp -d "$dir/image.XXXXXX")
  mkdir -p "$root/bin" "$root/tmp"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in sh sleep echo cat true false test touch rm tail head dd mkdir kill date ls; do
    ln -s busybox "$root/bin/$applet"
  done
  shift
  [ $# -eq 0 ] || shift
  tar -C "$root" -c . | docker -H "unix://$dir/docker.sock" import "$@" - "$tag" >/dev/null
  rm -rf "$root"
}

# A program of a tree as one of this machine: it is given the libraries of its own Debian.
of_tree() {
  root=$trees/$1 program=$trees/$1$2
  [ -x "$program" ] || { echo "engine.sh: there is no $2 in $root (contrib/bootstrap check gets it)" >&2; exit 3; }
  shift 2
  libraries=$(echo "$root"/usr/lib/*-linux-gnu*)
  exec "$(echo "$root"/lib*/ld-linux*.so.*)" --library-path "$libraries" "$program" "$@"
}

compose() {
  case $(docker-compose version 2>/dev/null) in *" v2."* | *"version 2."*) exec docker-compose "$@" ;; esac
  of_tree forky /usr/libexec/docker/cli-plugins/docker-compose "$@"
}

podman() {
  url=unix://$1/docker.sock
  shift
  of_tree forky /usr/bin/podman --remote --url "$url" "$@"
}

verb=${1:-}
[ $# -eq 0 ] || shift
case $verb in
start) start "$@" ;;
stop) stop "$1" TERM ;;
kill) stop "$1" KILL ;;
remove) remove "$1" ;;
image) image "$@" ;;
has) has "$1" ;;
version) version "$1" ;;
compose) compose "$@" ;;
podman) podman "$@" ;;
*) sed -n '2,14s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
