EXTRA_DIST += tests/check tests/tidy tests/vm/run .ci/run
