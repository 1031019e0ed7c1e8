"""A stand-in for Docker on one machine: a client program, a daemon, and what images do."""
