import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from corral.clients.terraform import locks
from corral.clients.terraform.copy import WorkingCopy, take_copy
from corral.clients.terraform.installed import Installation, PluginCache
from corral.errors import CopyBusyError
from tests.engine.terraform_bench import Bench

LOCK_FILE = ".terraform.lock.hcl"
LOCKED = 'provider "aws" {\n  version = "5.100.0"\n  hashes = [\n    "h1:abc=",\n  ]\n}\n'


@pytest.fixture
def open_copy(tmp_path: Path) -> Iterator[Callable[[str], WorkingCopy]]:
    with ExitStack() as stack:
        yield lambda key: stack.enter_context(
            take_copy(tmp_path / "work", key, patience=timedelta(0), listen=print)
        )


def initialise(copy: WorkingCopy, cache: Path | None) -> str:
    """Do what `init` does, and return the lock file it was given."""
    given = ""
    shared = PluginCache(cache, timedelta(0), print) if cache else None
    with Installation(copy, "facts", shared).renewed():
        if (copy.folder / LOCK_FILE).exists():
            given = (copy.folder / LOCK_FILE).read_text()
        (copy.folder / LOCK_FILE).write_text(LOCKED)
    return given


def test_a_new_copy_is_given_the_lock_file_of_the_shared_cache(tmp_path, open_copy):
    cache = tmp_path / "cache"

    assert initialise(open_copy("lab/vpc"), cache) == ""
    assert initialise(open_copy("lab/database"), cache) == LOCKED


def test_an_init_that_is_done_again_is_given_the_whole_lock_file(open_copy):
    copy = open_copy("lab/vpc")
    initialise(copy, None)

    assert "hashes" not in (copy.folder / LOCK_FILE).read_text()
    assert initialise(copy, None) == LOCKED


def test_a_cache_in_use_is_waited_for_and_the_wait_has_an_end(tmp_path, open_copy):
    copy, cache, heard = open_copy("lab/vpc"), tmp_path / "cache", []
    shared = PluginCache(cache, timedelta(seconds=0.1), heard.append)
    in_use = locks.hold(cache / "lock", "cache", patience=timedelta(0), listen=print)

    with in_use, pytest.raises(CopyBusyError) as caught, Installation(copy, "", shared).renewed():
        pass

    assert f"The plugin cache {cache} is still used by a run" in str(caught.value)
    assert f"which still uses the plugin cache {cache}" in heard[0].text


def test_an_init_that_failed_does_not_count(open_copy):
    copy = open_copy("lab/vpc")
    installation = Installation(copy, "facts", None)

    with pytest.raises(OSError, match="no network"), installation.renewed():
        raise OSError("no network")

    assert not installation.is_current()


def test_other_facts_ask_for_another_init(open_copy):
    copy = open_copy("lab/vpc")
    initialise(copy, None)

    assert Installation(copy, "facts", None).is_current()
    assert not Installation(copy, "other facts", None).is_current()


def test_archives_are_unpacked_into_a_cache_that_all_stacks_share(tmp_path, monkeypatch):
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    bench = Bench(tmp_path)
    wanted = bench.package
    folder = tmp_path / "mirror/registry.terraform.io/hashicorp/aws"
    os.removedirs(folder / wanted.version / wanted.platform)
    folder.mkdir(parents=True)
    name = f"terraform-provider-aws_{wanted.version}_{wanted.platform}.zip"
    (folder / name).write_text("")

    bench.run()

    cache = tmp_path / "work" / ".plugins"
    assert bench.engine.environment("init")["TF_PLUGIN_CACHE_DIR"] == str(cache)
    assert (cache / LOCK_FILE).exists()
