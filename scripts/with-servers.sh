#!/usr/bin/env bash
# with-servers.sh <command...>: runs the command with a real Redis, a real PostgreSQL, a real MariaDB, a real D1 and a real browser.
#
# Starts the servers on free ports of 127.0.0.1, exports TEST_REDIS_URL, TEST_REDIS_CLUSTER_URL, TEST_POSTGRES_URL, TEST_MYSQL_URL,
# TEST_D1_MODULE and TEST_BROWSER, and stops and removes all of it however the command ends. Exits with the command's status. Missing
# packages are installed with apt-get, which needs root, and D1 with npm.
set -euo pipefail

if [ $# -eq 0 ]; then
  echo "Usage: ${0##*/} <command...>" >&2
  exit 2
fi

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=scripts/servers/redis.sh
source "$here/servers/redis.sh"
# shellcheck source=scripts/servers/postgres.sh
source "$here/servers/postgres.sh"
# shellcheck source=scripts/servers/mariadb.sh
source "$here/servers/mariadb.sh"
# shellcheck source=scripts/servers/d1.sh
source "$here/servers/d1.sh"
# shellcheck source=scripts/servers/browser.sh
source "$here/servers/browser.sh"

say() { echo "with-servers: $*" >&2; }

# The first install asks for fresh package lists: an image usually comes without.
apt_install() {
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    say "'$1' is not installed; install it, or run this as root on Debian"
    return 1
  fi
  say "installing $1"
  local log="$work/apt.log"
  {
    [ -n "${apt_updated:-}" ] || apt-get update -q
    apt_updated=1
    # No service of the package starts by itself: the servers here are our own.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$1"
  } >"$log" 2>&1 || {
    tail -20 "$log" >&2
    return 1
  }
}

# exec_as <account> <command...>: in place of the shell. A server that refuses to run as root runs as the account that its Debian package
# made.
exec_as() {
  local account="$1"
  shift
  if [ "$(id -u)" -eq 0 ]; then exec setpriv --reuid "$account" --regid "$account" --init-groups "$@"; fi
  exec "$@"
}

# folder_for <account> <folder>: makes a folder for it.
folder_for() {
  mkdir -p "$2"
  # Every folder on the way must let the account through.
  if [ "$(id -u)" -eq 0 ]; then chown "$1" "$2"; chmod a+x "$(dirname "$2")"; fi
}

free_port() {
  node -e "const s = require('node:net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })"
}

# wait_for <name> <log> <pid> <check...>: until the check succeeds; fails as soon as the process has ended.
wait_for() {
  local name="$1" log="$2" pid="$3" tries=0
  shift 3
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    if ! kill -0 "$pid" 2>/dev/null || [ "$tries" -gt 300 ]; then
      say "$name did not start"
      tail -20 "$log" >&2 || true
      return 1
    fi
    sleep 0.1
  done
}

command_pid=
cleanup() {
  trap - EXIT
  trap '' INT TERM HUP PIPE
  if [ -n "$command_pid" ]; then
    kill "$command_pid" 2>/dev/null || true
    wait "$command_pid" 2>/dev/null || true
  fi
  redis_stop
  postgres_stop
  mariadb_stop
  rm -rf "$work"
}

work="$(mktemp -d "${TMPDIR:-/tmp}/with-servers.XXXXXX")"
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
trap 'exit 141' PIPE

redis_install
postgres_install
mariadb_install
d1_install
browser_install
redis_start "$work/redis"
postgres_start "$work/postgres"
mariadb_start "$work/mariadb"
say "Redis at $TEST_REDIS_URL, PostgreSQL at $TEST_POSTGRES_URL, MariaDB at $TEST_MYSQL_URL"

# In the background, so that a signal to this script is seen at once and not when the command ends.
"$@" <&0 &
command_pid=$!
status=0
wait "$command_pid" || status=$?
command_pid=
exit "$status"
