#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the documents against the tree.

    check.py FILES      width: no line of any document is longer than 120 characters
                        version: what says the version says core/poise.h's
                        goals: a goal of make that a document names is in `make help`
                        names: a file, a function or a test that a document names by its path is there

A name is a code span. `core/page.c` is a file or a folder below the top folder; `core/page.c:poise_page_read`
is something that this file defines or declares; `test/unit/test_page.c:bad_magic` likewise. FILES are those
whose paths count from the top folder; the others' paths count from where they stand.
"""
import pathlib
import re
import sys

WIDTH = 120
SKIPPED = ('build', '.git')

# What says the version beside core/poise.h: file, and the expression that finds it there.
VERSION_HERE = ('core/poise.h', r'^#define POISE_VERSION "(.*)"$')
VERSIONS = (
    ('CHANGELOG.md', r'^## ([0-9.]+)'),
    ('guestdrv/linux/README.md', r'dkms install poise-guest/([0-9.]+)'),
    ('guestdrv/linux/dkms.conf', r'^PACKAGE_VERSION="(.*)"$'),
    ('guestdrv/linux/main.c', r'^MODULE_VERSION\("(.*)"\);$'),
    ('packaging/buildroot/poise/poise.mk', r'^POISE_VERSION = (.*)$'),
    ('packaging/debian/changelog', r'^poise \((.*)-[^-]*\) '),
    ('port/daemon/man/poisectl.1', r'^\.TH .*"Poise ([^"]*)"'),
    ('port/daemon/man/poised.8', r'^\.TH .*"Poise ([^"]*)"'),
    ('port/daemon/man/poised.conf.5', r'^\.TH .*"Poise ([^"]*)"'),
)

# Goals of other projects' makefiles.
FOREIGN_GOALS = {'menuconfig', 'defconfig', 'poise-show-info'}

failed = 0


def report(name, wrong):
    """One PASS or FAIL line for a check, with what is wrong below."""
    global failed
    print(('FAIL: ' if wrong else 'PASS: ') + name)
    for line in wrong:
        print('    ' + line)
    failed += len(wrong)


def documents(top):
    """All Markdown files of the tree, but for what was built."""
    for path in sorted(top.rglob('*.md')):
        if not any(part in SKIPPED for part in path.relative_to(top).parts[:-1]):
            yield path


def width(top):
    """Lines that are too long."""
    wrong = []
    for path in documents(top):
        for number, line in enumerate(path.read_text(encoding='utf-8').split('\n'), 1):
            if len(line) > WIDTH:
                wrong.append(f'{path.relative_to(top)}:{number}: {len(line)} characters')
    return wrong


def version(top):
    """Places with another version than the header's."""
    def first(name, expression):
        match = re.search(expression, (top / name).read_text(encoding='utf-8'), re.MULTILINE)
        return match.group(1) if match else None

    right = first(*VERSION_HERE)
    wrong = [f'{name} says {first(name, expression)}, not {right}'
             for name, expression in VERSIONS if first(name, expression) != right]
    if [recipe.name for recipe in (top / 'packaging/yocto').glob('*.bb')] != [f'poise_{right}.bb']:
        wrong.append(f'packaging/yocto has not one recipe, poise_{right}.bb')
    return wrong


def goals(top):
    """Goals that a document names and `make help` does not."""
    known = set()
    for path in [top / 'Makefile', *top.rglob('*.mk')]:
        known.update(re.findall(r'^([a-z0-9-]+):.*## ', path.read_text(encoding='utf-8'), re.MULTILINE))
    wrong = []
    for path in documents(top):
        for number, line in enumerate(path.read_text(encoding='utf-8').split('\n'), 1):
            spans = re.findall(r'`make ([^`]+)`', line) + re.findall(r'^(?: {4})?make (.+)', line)
            for span in spans:
                words = re.split(r'\s{2,}|\t|#', span)[0].split()
                for word in words:
                    if re.fullmatch(r'[a-z][a-z0-9-]*', word) and word not in known | FOREIGN_GOALS:
                        wrong.append(f'{path.relative_to(top)}:{number}: make {word}')
    return wrong


def names(top, document):
    """Names of `document` that are not in the tree, and how many names there are."""
    wrong = []
    count = 0
    for number, line in enumerate(document.read_text(encoding='utf-8').split('\n'), 1):
        for span in re.findall(r'`([^`]+)`', line):
            match = re.fullmatch(r'([\w.-]+(?:/[\w.-]+)+/?)(?::(\w+))?', span)
            if not match or match.group(1).startswith('build/'):
                continue
            count += 1
            path = top / match.group(1)
            if not path.exists():
                wrong.append(f'{document.name}:{number}: there is no {match.group(1)}')
            elif match.group(2) and not re.search(rf'\b{match.group(2)}\b', path.read_text(encoding='utf-8')):
                wrong.append(f'{document.name}:{number}: {match.group(1)} has no {match.group(2)}')
    return wrong, count


def main():
    top = pathlib.Path('.')
    report(f'no line of a document is longer than {WIDTH} characters', width(top))
    report(f'{len(VERSIONS) + 1} files say the version that {VERSION_HERE[0]} says', version(top))
    report('the goals of make that documents name are in make help', goals(top))
    for name in sys.argv[1:]:
        wrong, count = names(top, top / name)
        report(f'{name}: the {count} files, functions and tests that it names are there', wrong)
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
