# Sourced by with-servers.sh: a Chromium for the tests that look at pages. They start and stop it themselves.

# Exports TEST_BROWSER. Where none can be installed those tests are skipped, by name; nothing else needs it.
browser_install() {
  command -v chromium >/dev/null || apt_install chromium || {
    say 'no browser: the tests of pages are skipped'
    return 0
  }
  TEST_BROWSER="$(command -v chromium)"
  export TEST_BROWSER
}
