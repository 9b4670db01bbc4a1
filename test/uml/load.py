# SPDX-License-Identifier: MIT
"""Work in a UML guest: touches every page of so many MiB, again and again, while a file is there.

    load.py MIB FILE
"""
import os
import sys

size = int(sys.argv[1]) << 20
memory = bytearray(size)
while os.path.exists(sys.argv[2]):
    # As a strided slice, so that it is the memory that takes the time and not Python.
    memory[::4096] = bytes(len(memory[::4096]))
