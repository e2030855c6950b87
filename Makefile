# The face that people know; CMake does the work. Every target sets up what is missing first.
build = build/release

all: build
.PHONY: all build setup models demo test bench install format clean

setup:
	@tools/setup.sh
build: setup
	@cmake --preset release >/dev/null
	@ninja -C $(build)
models: build
	@tools/setup.sh models
demo: models
	$(build)/bin/ballerino demo
test: build
	@tools/setup.sh models || echo "SKIP: the pose models could not be fetched; tests that need them skip"
	ctest --test-dir $(build) -L fast --output-on-failure
bench: models
	bench/run.sh
install: build
	cmake --install $(build)
format:
	find src cli tests bench include -name '*.[ch]' -o -name '*.cu' -o -name '*.cpp' | xargs clang-format -i
clean:
	rm -rf build
