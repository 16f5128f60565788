# Sourced by with-servers.sh: the runtime of Cloudflare's Workers, which brings D1. The tests start and stop it themselves.

# Exports TEST_D1_MODULE.
d1_install() {
  local folder="$here/servers/d1"
  if ! cmp --silent "$folder/package-lock.json" "$folder/node_modules/.installed-lock"; then
    say 'installing miniflare'
    npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error >&2
    cp "$folder/package-lock.json" "$folder/node_modules/.installed-lock"
  fi
  TEST_D1_MODULE="$folder/node_modules/miniflare/dist/src/index.js"
  export TEST_D1_MODULE
}
