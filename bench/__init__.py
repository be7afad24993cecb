"""Measurements, as ratios against a baseline in the same run on the same machine: `make bench`."""
