"""Measures what the README claims; `make bench` runs all of it on loopback and ends by itself."""
