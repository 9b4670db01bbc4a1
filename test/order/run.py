#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The order of a struct's fields does not matter, or another one does not compile.

    run.py DIR CC MAKE TESTS...

The core's structs get their fields in reverse, all at once, in a copy of the core in DIR/tree; the unit
tests TESTS pass as before. The structs of the shared pages, and the sample that is a copy of one, have an
order that is promised: any two neighbours swapped do not compile.
"""
import pathlib
import re
import shutil
import subprocess
import sys

STRUCT = re.compile(r'(struct(?: \w+)? \{\n)([^{}]*)(\n\t*\})')
COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)
# What stands in a file with a promised order.
PROMISED = {'poise_abi.h': None, 'poise_state.h': 'struct poise_sample {\n'}


def fields(body):
    """The declarations of a struct, each member one of its own; what a list makes (#include) is one."""
    found = []
    for part in re.split(r'(?m)((?:^#.*\n?)+)', COMMENT.sub('', body)):
        if part.startswith('#'):
            found.append('\n' + part)
            continue
        for declaration in filter(str.strip, part.split(';')):
            first, *others = declaration.strip().split(',')
            if not others or '(' in declaration:
                found.append(declaration.strip() + ';')
                continue
            kind, name = re.fullmatch(r'(.* )(\S+)', first).groups()
            found += [f'{kind}{name.strip()};' for name in (name, *others)]
    return found


def promised(name, head):
    """Whether a struct of this file has an order that others rely on."""
    return name in PROMISED and PROMISED[name] in (None, head)


def reverse(name, text):
    """A file with the fields of its structs in reverse, and how many structs there were."""
    count = 0

    def one(match):
        nonlocal count
        head, body, end = match.groups()
        if promised(name, head) or len(fields(body)) < 2:
            return match.group(0)
        count += 1
        return head + '\n'.join(reversed(fields(body))) + end

    return STRUCT.sub(one, text), count


def swaps(name, text):
    """Files with two neighbours swapped in a struct whose order is promised, each with what it is."""
    for match in STRUCT.finditer(text):
        head, body, end = match.groups()
        members = fields(body)
        for i in range(len(members) - 1 if promised(name, head) else 0):
            swapped = members[:i] + [members[i + 1], members[i]] + members[i + 2:]
            yield (f'{head.split()[1]}: {members[i]} {members[i + 1]}',
                   text[:match.start()] + head + '\n'.join(swapped) + end + text[match.end():])


def compiles(cc, tree):
    """Whether the file that reads pages does."""
    return subprocess.run([cc, '-std=c11', '-fsyntax-only', tree / 'core/page.c'], capture_output=True,
                          check=False).returncode == 0


def main():
    folder, cc, make, *tests = sys.argv[1:]
    tree = pathlib.Path(folder) / 'tree'
    shutil.rmtree(tree, ignore_errors=True)
    (tree / 'core').mkdir(parents=True)
    for entry in pathlib.Path('.').iterdir():
        if entry.name not in ('core', 'build') and not entry.name.startswith('.'):
            (tree / entry.name).symlink_to(entry.resolve())
    failed = 0

    def report(good, name, what=''):
        nonlocal failed
        print(('PASS: ' if good else 'FAIL: ') + name)
        if not good:
            failed += 1
            print(what)

    for path in pathlib.Path('core').iterdir():
        shutil.copy(path, tree / 'core')
    unseen = [] if compiles(cc, tree) else ['the core as it is does not compile']
    count = 0
    for name in PROMISED:
        path = tree / 'core' / name
        text = path.read_text()
        for what, swapped in swaps(name, text):
            count += 1
            path.write_text(swapped)
            if compiles(cc, tree):
                unseen.append(what)
        path.write_text(text)
    report(count > 40 and not unseen, f'{count} swaps in structs of a promised order do not compile',
           '\n'.join(unseen))

    count = 0
    for path in (tree / 'core').glob('*.[ch]'):
        text, structs = reverse(path.name, path.read_text())
        path.write_text(text)
        count += structs
    report(count >= 20, f'{count} structs have their fields in reverse')
    goals = [f'build/san/test/unit/test_{name}' for name in tests]
    made = subprocess.run([make, '-C', tree, '-j2', 'OUT=build', *goals], capture_output=True, text=True,
                          check=False)
    report(made.returncode == 0, 'core and unit tests compile with reversed fields', made.stdout + made.stderr)
    for goal in goals if made.returncode == 0 else []:
        ran = subprocess.run([tree / goal], capture_output=True, text=True, check=False)
        report(ran.returncode == 0, f'{goal.rpartition("/")[2]} passes with reversed fields',
               ran.stdout + ran.stderr)
    return failed != 0


sys.exit(main())
