# Sourced by with-servers.sh: a Redis of its own and a cluster of one with a replica, on 127.0.0.1, with nothing kept on disk.

redis_install() {
  command -v redis-server >/dev/null && return
  apt_install redis-server
}

redis_pids=()

# redis_run <folder> <port> <options...>
redis_run() {
  local folder="$1" port="$2"
  shift 2
  mkdir -p "$folder"
  redis-server --bind 127.0.0.1 --port "$port" --dir "$folder" --save '' --appendonly no \
    --daemonize no --logfile "$folder/log" "$@" &
  redis_pids+=($!)
  wait_for "Redis on port $port" "$folder/log" $! redis-cli -h 127.0.0.1 -p "$port" ping
}

# Exports TEST_REDIS_URL and TEST_REDIS_CLUSTER_URL.
redis_start() {
  local folder="$1" port
  port="$(free_port)"
  redis_run "$folder/single" "$port"
  export TEST_REDIS_URL="redis://127.0.0.1:$port"
  # One node that has all slots refuses keys of different slots in one command just as many do.
  local cluster cluster_bus
  cluster="$(free_port)"
  cluster_bus="$(free_port)"
  redis_run "$folder/cluster" "$cluster" --cluster-enabled yes --cluster-port "$cluster_bus"
  redis-cli -h 127.0.0.1 -p "$cluster" cluster addslotsrange 0 16383 >/dev/null
  wait_for 'the Redis cluster' "$folder/cluster/log" "${redis_pids[-1]}" redis_cluster_ready "$cluster"
  local replica
  replica="$(free_port)"
  redis_run "$folder/replica" "$replica" --cluster-enabled yes --cluster-port "$(free_port)"
  redis-cli -h 127.0.0.1 -p "$replica" cluster meet 127.0.0.1 "$cluster" "$cluster_bus" >/dev/null
  wait_for 'the replica' "$folder/replica/log" "${redis_pids[-1]}" redis_replicates "$replica" "$cluster"
  export TEST_REDIS_CLUSTER_URL="redis://127.0.0.1:$cluster"
}

redis_cluster_ready() {
  redis-cli -h 127.0.0.1 -p "$1" cluster info | grep -q '^cluster_state:ok'
}

# redis_replicates <replica> <master>: asks it to, once it knows the master; succeeds when the master knows its replica.
redis_replicates() {
  local id
  id="$(redis-cli -h 127.0.0.1 -p "$2" cluster myid)"
  # Asked again it would begin anew.
  redis-cli -h 127.0.0.1 -p "$1" info replication | grep -q '^role:slave' ||
    redis-cli -h 127.0.0.1 -p "$1" cluster replicate "$id" >/dev/null
  redis-cli -h 127.0.0.1 -p "$1" info replication | grep -q '^master_link_status:up' &&
    redis-cli -h 127.0.0.1 -p "$2" cluster nodes | grep -q slave
}

redis_stop() {
  local pid
  for pid in "${redis_pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  redis_pids=()
}
