# Sourced by with-servers.sh: a MariaDB server of its own on 127.0.0.1, which flushes its log once a second.

mariadb_install() {
  command -v mariadbd >/dev/null && command -v mariadb-install-db >/dev/null && return
  apt_install mariadb-server
}

# Sets mariadb_pid and TEST_MYSQL_URL.
mariadb_start() {
  local folder="$1" port
  port="$(free_port)"
  folder_for mysql "$folder"
  (exec_as mysql mariadb-install-db --no-defaults --datadir="$folder/data" --auth-root-authentication-method=normal \
    --skip-test-db --innodb-flush-log-at-trx-commit=0) >"$folder/install.log" 2>&1 || {
    tail -20 "$folder/install.log" >&2
    return 1
  }
  (exec_as mysql mariadbd --no-defaults --datadir="$folder/data" --port="$port" --bind-address=127.0.0.1 \
    --socket="$folder/socket" --pid-file="$folder/pid" --skip-name-resolve \
    --innodb-flush-log-at-trx-commit=0) >"$folder/log" 2>&1 &
  mariadb_pid=$!
  wait_for "MariaDB on port $port" "$folder/log" "$mariadb_pid" \
    mariadb-admin --no-defaults -h 127.0.0.1 -P "$port" -u root ping
  # In a database of the name 'test' every account may create tables.
  mariadb-admin --no-defaults -h 127.0.0.1 -P "$port" -u root create ledgers
  export TEST_MYSQL_URL="mysql://root@127.0.0.1:$port/ledgers"
}

# SIGKILL stops at once: nothing in this server is worth a shutdown.
mariadb_stop() {
  [ -n "${mariadb_pid:-}" ] || return 0
  kill -KILL "$mariadb_pid" 2>/dev/null || true
  wait "$mariadb_pid" 2>/dev/null || true
  mariadb_pid=
}
