"""What cloud-init does on a builder, done on a root that stands in for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.images.root import Root

KEYS = "/etc/corral-test/authorized_keys"
CLOUD_INIT = "/usr/local/bin/cloud-init"


@contextmanager
def cloud_init(ec2: Any, root: Root) -> Iterator[None]:
    """Let in whoever has the key that a builder of this EC2 was started with."""
    ended = threading.Event()
    known = root.read(KEYS)
    # Packer asks it whether it is done; in a root it never is.
    root.write(CLOUD_INIT, "#!/bin/sh\n", 0o755)

    def let_in() -> None:
        while not ended.wait(0.5):
            pairs = ec2.describe_key_pairs(IncludePublicKey=True)["KeyPairs"]
            root.write(KEYS, known + "".join(f"{pair['PublicKey']}\n" for pair in pairs))

    thread = threading.Thread(target=let_in, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        root.write(KEYS, known)
        root.remove(CLOUD_INIT)
