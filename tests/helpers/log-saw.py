#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the lines of a log of JSON objects for which all conditions hold; fails if there are none.

    log-saw.py LOG CONDITION...
    log-saw.py LOG - <LISTS         a list of conditions a line, as words of a shell, each counted

Lists that hold nowhere are named.
A condition is PATH=VALUE, PATH!=VALUE or PATH>=NUMBER.  PATH goes down by names and numbers with
dots between; * stands for any.  PATH= holds for null and for what is not there.
"""
import json
import re
import shlex
import sys


def values(thing, path):
    """All that a path leads to."""
    if not path:
        yield thing
        return
    inside = thing if isinstance(thing, dict) else \
        dict(enumerate(thing)) if isinstance(thing, list) else {}
    for name, value in inside.items():
        if path[0] in ('*', str(name)):
            yield from values(value, path[1:])


def holds(thing, condition):
    path, operator, wanted = re.fullmatch(r'([^=!>]+)(=|!=|>=)(.*)', condition).groups()
    found = [value for value in values(thing, path.split('.')) if value is not None]
    if operator == '>=':
        return any(isinstance(value, (int, float)) and value >= float(wanted) for value in found)
    texts = [value if isinstance(value, str) else json.dumps(value) for value in found]
    equal = wanted in texts or (not wanted and not texts)
    return equal == (operator == '=')


def main():
    lists = [sys.argv[2:]]
    if sys.argv[2:] == ['-']:
        lists = [words for words in map(shlex.split, sys.stdin) if words]
    with open(sys.argv[1], encoding='utf-8') as log:
        # Without its end a line is still being written.
        things = [json.loads(line) for line in log if line.endswith('\n')]
    counts = [sum(all(holds(thing, one) for one in conditions) for thing in things)
              for conditions in lists]
    for conditions, count in zip(lists, counts):
        print(count if count or len(lists) == 1 else 'none of ' + ' '.join(conditions))
    return 0 if all(counts) else 1


if __name__ == '__main__':
    sys.exit(main())
