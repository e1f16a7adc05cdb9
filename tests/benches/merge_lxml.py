"""The copying of values that `pfupgrade merge` does, with lxml: a rival for tests/benches/merge.rs.

    cargo bench --bench merge -- --write DIR && python3 merge_lxml.py DIR
"""

import sys
import time
from pathlib import Path

from lxml import etree


def values(tree):
    """The values by what names them: keys of appSettings, properties of the profile."""
    keys = {add.get("key").lower(): add for add in tree.iterfind("appSettings/add")}
    properties = {add.get("name"): add for add in tree.iterfind("system.web/profile/properties/add")}
    return keys, properties


def copy(old, base, new, attribute):
    for name, element in old.items():
        value = element.get(attribute)
        shipped = base.get(name)
        if shipped is not None and shipped.get(attribute) == value:
            continue
        target = new.get(name)
        if target is not None:
            target.set(attribute, value)
        elif shipped is None:
            parent = next(iter(new.values())).getparent()
            added = etree.SubElement(parent, element.tag, element.attrib)
            added.tail = "\n    "


def merge(folder):
    trees = [etree.fromstring((folder / f"{name}.config").read_bytes()) for name in ("old", "base", "new")]
    old, base, new = (values(tree) for tree in trees)
    copy(old[0], base[0], new[0], "value")
    copy(old[1], base[1], new[1], "defaultValue")
    result = etree.tostring(trees[2], xml_declaration=True, encoding="utf-8")
    etree.fromstring(result)  # what is written is read again, as the rival does
    return result


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        merge(folder)
        best = min(best, time.perf_counter() - begun)
    print(f"lxml: {best * 1000:.0f} ms")
