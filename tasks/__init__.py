"""Prefect's view of one step each: thin, and without decisions."""

import logging

from corral.errors import CorralError

# Prefect hands the records of the loggers named in PREFECT_LOGGING_EXTRA_LOGGERS to the run; what
# the logger itself drops never gets there.
logging.getLogger("corral").setLevel(logging.INFO)


class OneSentence(logging.Filter):
    """Shows an error of ours as its sentence: where it was raised helps nobody who reads a run."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace message and traceback of an error of ours by the error itself."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if isinstance(error, CorralError):
            record.msg, record.args, record.exc_info = str(error), None, None
        return True


for name in ("prefect.flow_runs", "prefect.task_runs"):
    logging.getLogger(name).addFilter(OneSentence())
