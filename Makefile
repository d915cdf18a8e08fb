# Silt's commands. `make demo` and `make test` do all the set-up that a fresh machine needs.

SWIFT  ?= swift
PYTHON ?= python3
SILT   := .build/release/silt
VENV   := .venv
PIP    := --quiet --disable-pip-version-check --prefer-binary

.PHONY: help setup build demo test test-short test-swift test-python test-sanitize test-kernels fuzz api lint lint-python format bench-size bench-memory bench-accuracy bench-eval bench-training bench-kernels vectors check-pairs test-neon test-peers peers-fixtures bench bench-growth clean

help:
	@echo "make demo          build, and pack, inspect, unpack and verify a real pair"
	@echo "make test          build and run all tests"
	@echo "make test-short    the quick ones: under a minute after a build (Docs/Testing.md)"
	@echo "make test-sanitize  the Swift tests under AddressSanitizer (SANITIZER=thread: ThreadSanitizer)"
	@echo "make test-kernels  the C kernels at every level, under AddressSanitizer and UndefinedBehaviorSanitizer"
	@echo "make fuzz          libFuzzer on a parser (TARGET=json, SECONDS=60); make fuzz TARGET=list names them"
	@echo "make build         the release binary, $(SILT)"
	@echo "make lint          formatter, layers, names of the C kernels, public API, warnings as errors"
	@echo "make api           write the listing of the public API, Tests/API, anew"
	@echo "make bench         speed beside cp and the rivals (SPEED_GIB=4, BIG=DIR, SPEED_FLAGS)"
	@echo "make bench-growth  time from 0.1 to 8 GB, and whether it grows linearly"
	@echo "make bench-size    sizes beside every rival and the entropies, exact and lossy (DATA=DIR for more pairs)"
	@echo "make bench-memory  peak memory on a pair of 4 GiB"
	@echo "make bench-accuracy  accuracy per byte of every way of packing, on the pairs of DATA=DIR (an hour or more)"
	@echo "make bench-eval    time of silt eval beside transformers (MODEL=DIR)"
	@echo "make bench-training  DAREx-L2 end to end: trainings, their pruned deltas, time per step (DATA=DIR, TORCH=PYTHON beside PyTorch)"
	@echo "make bench-kernels  speed of every kernel at every level, one thread (ONCE='KERNEL LEVEL': run one once)"
	@echo "make check-pairs   every lossy method on every pair of DATA=DIR"
	@echo "make vectors       write Formats/Vectors anew"
	@echo "make test-neon     the C kernels on aarch64, in an emulator, against those here"
	@echo "make test-peers    beside transformers, PEFT and compressed-tensors (PEERS_PIP=FLAGS for pip)"

setup: $(VENV)/.done
	@sh Tests/setup.sh

$(VENV)/.done: Tests/requirements.txt
	@sh Tests/setup.sh
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install $(PIP) -r $<
	@touch $@

build:
	@sh Tests/setup.sh
	$(SWIFT) build -c release

demo: build
	@sh Tests/demo.sh $(SILT)

test: test-swift test-python

# The Swift tests keep what they pack, and the independent reader decodes it.
PACKED := .build/packed

test-swift: setup
	rm -rf $(PACKED)
	SILT_KEEP_PACKED=$(abspath $(PACKED)) $(SWIFT) test

test-python: setup build
	SILT=$(SILT) SILT_KEEP_PACKED=$(PACKED) $(VENV)/bin/python -m pytest -q Formats/Reader Tests/System

# Suites that take more than three seconds alone, in a debug build.
MODELS := CurvatureStatisticsTests FileReportTests SearchTests TunerTests PlannerTests SweeperTests CandidateSizeTests \
	FineTuneTests WandaTests DroppingTheoryTests BackwardTests
SLOW := $(MODELS) ResidualLevelTests MatrixTests CorpusTests HeaderBuilderTests SizeTests AdapterFixtureTests VectorTests \
	ContainerTests RoundTripTests CommandTests
empty :=
space := $(empty) $(empty)
any = \.($(subst $(space),|,$(strip $(1))))/
test-short: setup
	$(SWIFT) test --skip '$(call any,$(SLOW))'
	@if [ -x $(SILT) ]; then SILT=$(SILT) $(VENV)/bin/python -m pytest -q -m 'not slow' Tests/System; \
		else echo 'no release binary (make build), so no system tests'; fi

# Each in a build of its own. Those that run models are left out: minutes under a sanitizer, and no bytes from strangers.
SANITIZER ?= address
SANITIZED := $(if $(filter thread,$(SANITIZER)),.build-tsan,.build-asan)
test-sanitize: setup
	$(SWIFT) test --scratch-path $(SANITIZED) --sanitize=$(SANITIZER) \
		$(if $(filter thread,$(SANITIZER)),--filter 'WorkersTests|SiltReadingTests|SiltPackingTests|ByteSourcesTests') \
		--skip '$(call any,$(MODELS))'

KERNEL_CHECK := .build/kernels-check
test-kernels: setup
	@mkdir -p $(KERNEL_CHECK)
	clang -O1 -g -fsanitize=undefined,address -fno-sanitize-recover=all -Wall -Wextra -ISources/CSiltKernels/include \
		-ITests/Benchmarks/Kernels Sources/CSiltKernels/*.c Tests/Benchmarks/Kernels/data.c Tests/Kernels/digest.c -lm \
		-o $(KERNEL_CHECK)/digest
	$(KERNEL_CHECK)/digest $(if $(ROUNDS),$(ROUNDS),300)

# An input that breaks a target is left in .build-fuzz/crashes. Memory is bounded: a header may claim any size.
TARGET ?= json
SECONDS ?= 60
FUZZING := .build-fuzz
FUZZ := SILT_FUZZ=1 $(SWIFT) build --scratch-path $(FUZZING) --product Fuzz --sanitize fuzzer --sanitize address \
	-Xswiftc -O -Xcc -O2
fuzz: setup
	$(FUZZ) 2>&1 | grep -v 'Cannot export local symbol'
	@mkdir -p $(FUZZING)/crashes $(FUZZING)/corpus/$(TARGET) Tests/Fuzzing/Corpus/$(TARGET)
	SILT_FUZZ_TARGET=$(TARGET) SILT_FUZZ_SEEDS=$(FUZZING)/corpus/$(TARGET) SWIFT_BACKTRACE=enable=no \
		$(FUZZING)/debug/Fuzz -max_total_time=$(SECONDS) -max_len=65536 \
		-malloc_limit_mb=300 -timeout=20 -artifact_prefix=$(FUZZING)/crashes/$(TARGET)- $(FUZZ_FLAGS) \
		$(FUZZING)/corpus/$(TARGET) Tests/Fuzzing/Corpus/$(TARGET)

# SILT_STRICT turns every warning into an error (Package.swift).
lint: setup lint-python
	$(SWIFT) format lint --strict --recursive --parallel Sources Tests Package.swift
	$(PYTHON) Tests/Lint/layers.py
	$(PYTHON) Tests/Lint/folders.py
	$(PYTHON) Tests/Lint/kernels.py
	SILT_STRICT=1 $(SWIFT) build -c release --explicit-target-dependency-import-check error
	$(PYTHON) Tests/Lint/api.py

# From the release build, which lint makes too.
api: setup
	$(SWIFT) build -c release
	$(PYTHON) Tests/Lint/api.py --write

# Python alone: what needs no Swift.
.venv-lint/.done: Tests/Lint/requirements.txt Tests/requirements.txt
	$(PYTHON) -m venv .venv-lint
	.venv-lint/bin/pip install $(PIP) -r $<
	@touch $@

lint-python: .venv-lint/.done
	.venv-lint/bin/ruff check --quiet --config Tests/Lint/ruff.toml --cache-dir .build/ruff Formats Tests
	.venv-lint/bin/python Tests/Lint/check_types.py

format:
	$(SWIFT) format --in-place --recursive --parallel Sources Tests Package.swift

.venv-bench/.done: Tests/Benchmarks/Size/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install $(PIP) -r $<
	@touch $@

bench-size: setup build .venv-bench/.done
	SILT=$(SILT) .venv-bench/bin/python Tests/Benchmarks/Size/bench_size.py $(if $(DATA),--data $(DATA)) $(FLAGS)
	SILT=$(SILT) .venv-bench/bin/python Tests/Benchmarks/Size/bench_lossy.py $(if $(DATA),--data $(DATA)) $(LOSSY_FLAGS)

bench-accuracy: setup build
	$(if $(DATA),,$(error give the directory of the pairs, DATA=DIR))
	SILT=$(SILT) $(VENV)/bin/python Tests/Benchmarks/Accuracy/bench_accuracy.py --data $(DATA) $(ACCURACY_FLAGS)

bench-training: build
	$(if $(DATA),,$(error give the directory of small-base and eval, DATA=DIR))
	SILT=$(SILT) $(PYTHON) Tests/Benchmarks/Training/bench_training.py --data $(DATA) $(if $(TORCH),--torch $(TORCH)) \
		$(TRAINING_FLAGS)

# The speed benchmark writes about five times SPEED_GIB to BIG. On a file system that is written back to a device, the device
# decides: give a tmpfs (BIG=/dev/shm/silt-bench) where memory allows.
SPEED_GIB ?= 4
BIG ?= .build/bench
bench: setup build .venv-bench/.done
	SILT=$(SILT) .venv-bench/bin/python Tests/Benchmarks/Speed/bench_speed.py --work $(BIG)/speed --gib $(SPEED_GIB) \
		$(SPEED_FLAGS)
	rm -rf $(BIG)/speed

bench-growth: setup build .venv-bench/.done
	SILT=$(SILT) .venv-bench/bin/python Tests/Benchmarks/Speed/growth.py --work $(BIG)/growth $(GROWTH_FLAGS)
	rm -rf $(BIG)/growth

bench-memory: setup build
	$(PYTHON) Tests/Benchmarks/Memory/tile_pair.py Tests/Data/small-base Tests/Data/small-foods \
		$(BIG)/memory/base $(BIG)/memory/finetuned --gib 4 --repeat 16
	for how in '--prediction none' '--prediction auto' '--method random'; do \
		SILT=$(SILT) $(PYTHON) Tests/Benchmarks/Memory/peak_memory.py $(BIG)/memory/base $(BIG)/memory/finetuned \
			--threads 2 $$how || exit 1; \
	done
	rm -rf $(BIG)/memory

# The C kernels alone, as the release build compiles them.
KERNELS := .build/bench-kernels
KERNEL_SOURCES := $(wildcard Sources/CSiltKernels/*.c Sources/CSiltKernels/*.h Sources/CSiltKernels/include/*.h \
	Tests/Benchmarks/Kernels/*.c Tests/Benchmarks/Kernels/*.h)
$(KERNELS): $(KERNEL_SOURCES) | setup
	@mkdir -p $(@D)
	clang -O2 -Wall -Wextra -ISources/CSiltKernels/include $(filter %.c,$^) -lm -lzstd -o $@

bench-kernels: $(KERNELS)
	$(KERNELS) $(if $(ONCE),--once $(ONCE))

test-neon: setup
	@sh Tests/Kernels/aarch64.sh .build/kernels-aarch64

vectors: setup
	$(VENV)/bin/python Formats/Vectors/make_vectors.py

# Large libraries: an environment of its own. PEERS_PIP are flags or further requirements for pip, such as an index that has
# the CPU build of torch.
.venv-peers/.done: Tests/Peers/requirements.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install $(PIP) $(PEERS_PIP) -r $<
	@touch $@

# The Swift tests keep what they write for these libraries.
PEERS := $(abspath .build/peers)
check-pairs: setup build
	SILT=$(SILT) $(VENV)/bin/python Tests/System/check_pairs.py --data $(DATA)

bench-eval: setup build .venv-peers/.done
	$(if $(MODEL),,$(error give a fine-tuned checkpoint, MODEL=DIR))
	SILT=$(SILT) .venv-peers/bin/python Tests/Benchmarks/Accuracy/bench_eval.py $(MODEL) $(EVAL_FLAGS)

test-peers: setup build .venv-peers/.done
	rm -rf $(PEERS)
	SILT_KEEP_PEERS=$(PEERS) $(SWIFT) test --filter 'AdapterFixture|Interop'
	SILT=$(SILT) SILT_KEEP_PEERS=$(PEERS) .venv-peers/bin/python -m pytest -q Tests/Peers

peers-fixtures: .venv-peers/.done
	.venv-peers/bin/python Tests/Peers/make_fixtures.py

clean:
	rm -rf .build .build-asan .build-tsan .build-fuzz .venv .venv-bench .venv-lint .venv-peers
