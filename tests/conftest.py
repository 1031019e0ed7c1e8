"""What holds for all tests."""

import signal


def pytest_configure() -> None:
    """Let processes that tests start hear SIGINT, although whoever started us ignores it.

    A shell starts what it puts into the background that way, and programs pass it on.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
