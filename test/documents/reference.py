#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests the rendered reference of the public headers.

    reference.py DIR HEADERS...     DIR: for what is rendered
"""
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

DOC = 'test/documents/doc.sh'


def text(member):
    """What a reader finds at a member."""
    return ''.join(''.join(member.find(kind).itertext())
                   for kind in ('briefdescription', 'detaileddescription')).strip()


def undocumented(folder):
    """Functions without a comment. One comment may be about several that stand in lines one below the other."""
    missing = []
    count = 0
    for path in sorted(folder.glob('*_8h.xml')):
        before = None
        for member in xml.parse(path).iter('memberdef'):
            if member.get('kind') != 'function':
                continue
            count += 1
            line = int(member.find('location').get('line'))
            if text(member) or before == line - 1:
                before = line
            else:
                missing.append(member.findtext('name'))
    return missing, count


def members(folder, header, enum):
    """The names in an enum."""
    for member in xml.parse(folder / header).iter('memberdef'):
        if member.findtext('name') == enum:
            return [value.findtext('name') for value in member.findall('enumvalue')]
    return []


def main():
    folder = pathlib.Path(sys.argv[1])
    headers = sys.argv[2:]
    failed = 0

    def report(good, name, *what):
        nonlocal failed
        print(('PASS: ' if good else 'FAIL: ') + name)
        if not good:
            failed += 1
            print(*what, sep='\n')

    made = subprocess.run([DOC, folder, *headers], capture_output=True, text=True, check=False)
    report(made.returncode == 0, f'{len(headers)} public headers are rendered without a warning', made.stderr)
    missing, count = undocumented(folder / 'xml')
    report(count > 20 and not missing, f'each of their {count} functions has a comment', *missing)
    rules = re.findall(r'^POISE_RULE\((\w+)', pathlib.Path('core/poise_rules.def').read_text(encoding='utf-8'),
                       re.MULTILINE)
    shown = members(folder / 'xml', 'poise__config_8h.xml', 'poise_rule')
    report([f'POISE_RULE_{rule}' for rule in rules] + ['POISE_RULE_COUNT'] == shown,
           'the lists are in it: all rules', *shown)

    # A mistake is seen.
    wrong = folder / 'wrong.h'
    wrong.write_text('/* Nothing. */\n/* @param none */\nvoid wrong(void);\n', encoding='utf-8')
    made = subprocess.run([DOC, folder / 'wrong', wrong], capture_output=True, text=True, check=False)
    report(made.returncode != 0, 'a comment about a parameter that is none fails')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
