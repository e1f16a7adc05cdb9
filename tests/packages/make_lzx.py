"""Makes an LZX cabinet: make_lzx.py CABINET NAME=FILE... Each file is a folder of its own, of one block.

No free tool writes LZX cabinets. wimcapture (wimlib) compresses; the block it makes gets the header that cabinets have.
"""
import os
import struct
import subprocess
import sys
import tempfile


def block(data):
    """One LZX block; without the byte E8, which Windows images treat in a way of their own."""
    assert len(data) <= 0x8000 and b"\xe8" not in data
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/in")
        with open(f"{folder}/in/file", "wb") as file:
            file.write(data)
        image = f"{folder}/x.wim"
        command = ["wimcapture", f"{folder}/in", image, "--compress=LZX:100", "--chunk-size=32768"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with open(image, "rb") as file:
            wim = file.read()

    def resource(at):
        return (int.from_bytes(wim[at : at + 7], "little"), *struct.unpack_from("<QQ", wim, at + 8))

    size, offset, _ = resource(0x30)
    found = (resource(at) for at in range(offset, offset + size, 50))
    packed, where, _ = next(entry for entry in found if entry[2] == len(data) > entry[0])
    bits = "".join(f"{word:016b}" for (word,) in struct.iter_unpack("<H", wim[where : where + packed]))
    kind, rest = bits[:3], bits[20:]
    assert bits[3] == "0" and int(bits[4:20], 2) == len(data), "more than one block"
    bits = f"0{kind}{len(data):024b}{rest}"
    bits += "0" * (-len(bits) % 16)
    words = (int(bits[at : at + 16], 2) for at in range(0, len(bits), 16))
    return b"".join(struct.pack("<H", word) for word in words)


def main():
    files = [argument.split("=") for argument in sys.argv[2:]]
    names, contents = [name.encode() + b"\0" for name, _ in files], [open(file, "rb").read() for _, file in files]
    list_at = 36 + 8 * len(files)
    data_at = list_at + sum(16 + len(name) for name in names)
    folders, entries, blocks = b"", b"", b""
    for number, (name, content) in enumerate(zip(names, contents)):
        packed = block(content)
        folders += struct.pack("<IHH", data_at + len(blocks), 1, 0x0F03)
        entries += struct.pack("<IIHHHH", len(content), 0, number, 0x4421, 0, 0x20) + name
        blocks += struct.pack("<IHH", 0, len(packed), len(content)) + packed
    total = data_at + len(blocks)
    header = struct.pack("<IIIIIBBHHHHH", 0, total, 0, list_at, 0, 3, 1, len(files), len(files), 0, 0, 0)
    with open(sys.argv[1], "wb") as file:
        file.write(b"MSCF" + header + folders + entries + blocks)


main()
