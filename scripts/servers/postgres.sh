# Sourced by with-servers.sh: a PostgreSQL cluster of its own on 127.0.0.1, with separate backends and no fsync.

# The newest version of the Debian package, else the one in the PATH, with links resolved to the folder of its siblings.
postgres_bin() {
  local found
  found="$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -1)"
  [ -n "$found" ] || found="$(readlink -f "$(command -v initdb)" 2>/dev/null || true)"
  [ -z "$found" ] || dirname "$found"
}

postgres_install() {
  [ -n "$(postgres_bin)" ] && return
  apt_install postgresql
}

# Sets postgres_pid and TEST_POSTGRES_URL.
postgres_start() {
  local folder="$1" port bin
  bin="$(postgres_bin)"
  port="$(free_port)"
  folder_for postgres "$folder"
  (cd "$folder" && exec_as postgres "$bin/initdb" -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >initdb.log) || {
    cat "$folder/initdb.log" >&2
    return 1
  }
  (cd "$folder" && exec_as postgres "$bin/postgres" -D data -p "$port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c fsync=off -c max_connections=100) >"$folder/log" 2>&1 &
  postgres_pid=$!
  wait_for "PostgreSQL on port $port" "$folder/log" "$postgres_pid" \
    "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U postgres
  export TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres"
}

# SIGQUIT stops at once: nothing in this cluster is worth a shutdown checkpoint.
postgres_stop() {
  [ -n "${postgres_pid:-}" ] || return 0
  kill -QUIT "$postgres_pid" 2>/dev/null || true
  wait "$postgres_pid" 2>/dev/null || true
  postgres_pid=
}
