# SPDX-License-Identifier: Apache-2.0
# The façade: every target installs what is missing first and leaves the program at build/bin/larmor.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
PRESET ?= release

.PHONY: setup build studio demo test bench golden ivim format sanitize check clean
setup:
	@bash tools/setup.sh
build: setup
	@cmake --preset $(PRESET) -Wno-dev > /dev/null || cmake --preset $(PRESET)
	@cmake --build --preset $(PRESET) -j $(JOBS)
test: build check
	@ctest --test-dir build --output-on-failure -j $(JOBS)
check: build
	@python3 tools/check_rooms.py
	@bash tools/check_format.sh
	@bash tools/check_isa.sh
	@python3 tools/check_registry.py
	@bash tools/check_cuda.sh
	@python3 tools/check_tidy.py
demo: build
	@bash tools/demo.sh
studio: build  # the canvas, in the browser
	@build/bin/larmor studio examples/graphs/dce.json
golden: build  # the tables of measured against reference values
	@build/bin/test_golden --gtest_brief=1
ivim: build  # all methods of IVIM and the networks in one table, on the same data, beside the limit
	@bash tools/ivim.sh
bench: build
	@bash tools/bench.sh
format:
	@git ls-files '*.cpp' '*.hpp' '*.cu' '*.cuh' | xargs clang-format -i
sanitize: setup
	@cmake --preset sanitize > /dev/null && cmake --build --preset sanitize -j $(JOBS)
	@ctest --test-dir build/sanitize --output-on-failure -j $(JOBS)
clean:
	@rm -rf build
