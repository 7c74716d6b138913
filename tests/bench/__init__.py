"""Benchmarks: each figure beside its anchor, measured in the same run on the same machine.

``./run bench NAME [--json]``. Rates per second are wall time, rates per CPU-second are process time;
a calibration loop before and after tells whether the machine was steady.
"""
