#!/usr/bin/env python3
"""Makes the state vectors of this repository: python3 Tests/Vectors/make/make.py [CLASS…]

Needs ia64-linux-gnu-as and ia64-linux-gnu-objcopy (Debian's binutils-ia64-linux-gnu).
"""
import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kit import Maker  # noqa: E402

CLASSES = ['integer', 'compare', 'memory', 'fpmemory', 'alat', 'branch', 'unused', 'floating', 'system', 'access', 'references']


def main():
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for number, name in enumerate(CLASSES):
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        maker = Maker(seed=2017 + sum(name.encode()))
        importlib.import_module(name).make(maker)
        maker.write(os.path.join(folder, name + '.json'))


if __name__ == '__main__':
    main()
