"""Prefect's view of one step each: thin, and without decisions."""

import logging

# Prefect hands the records of the loggers named in PREFECT_LOGGING_EXTRA_LOGGERS to the run; what
# the logger itself drops never gets there.
logging.getLogger("corral").setLevel(logging.INFO)
