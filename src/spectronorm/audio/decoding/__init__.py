"""Decoding of a file's bytes to samples, in this process or in a guarded one."""
