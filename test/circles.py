#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether files of a program call each other in a circle: A needs what B defines, and B, perhaps by way of others,
what A defines. Then neither can be read, tested or replaced without the other.

    circles.py FOLDER OBJECT...     OBJECT: FOLDER/NAME.o

The guest kernel's files are one such circle and stay one: reclaim frees what allocation needs."""
import os
import subprocess
import sys

WHOLE = 'board/guest/kernel/'


def symbols(path):
    """What an object defines, and what it needs."""
    defined, needed = set(), set()
    for line in subprocess.run(['nm', path], capture_output=True, text=True, check=True).stdout.splitlines():
        kind, name = line.split()[-2:]
        if kind == 'U':
            needed.add(name)
        elif kind.isupper():
            defined.add(name)
    return defined, needed


def reached(graph, start):
    """All that a file needs, directly or by way of others."""
    seen, waiting = set(), [start]
    while waiting:
        for other in graph[waiting.pop()]:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen


def main():
    folder, objects = sys.argv[1], sys.argv[2:]
    names = {path: os.path.splitext(os.path.relpath(path, folder))[0] for path in objects}
    home, needs = {}, {}
    for path, name in names.items():
        defined, needs[name] = symbols(path)
        home.update((symbol, name) for symbol in defined)
    graph = {name: {home[symbol] for symbol in wanted if symbol in home} - {name} for name, wanted in needs.items()}
    every = {name: reached(graph, name) for name in graph}
    circle = sorted(name for name in graph if name in every[name] and not name.startswith(WHOLE))
    for name in circle:
        for other in sorted(graph[name]):
            if name in every[other]:
                print('  %s needs of %s: %s' % (name, other, ' '.join(sorted(
                    symbol for symbol in needs[name] if home.get(symbol) == other))))
    print('%s: no circle among the %d files of %s' % ('FAIL' if circle else 'PASS', len(graph), folder))
    if len(graph) < 2:
        sys.exit('circles.py: no objects')
    sys.exit(1 if circle else 0)


main()
