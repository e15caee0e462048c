"""python3 unpack_wheel.py WHEEL FOLDER: what a C++ program needs of it.

tensorflow's two libraries go to FOLDER/lib and its headers to FOLDER/include; NVIDIA's libraries keep their place under
FOLDER/nvidia, where libtensorflow looks for them ($ORIGIN/../nvidia/*/lib).
"""
import os
import sys
import zipfile

LIBRARIES = ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2")


def place(name):
    package, _, rest = name.partition("/")
    if package == "tensorflow" and rest.startswith("include/"):
        return rest
    if package == "tensorflow" and rest in LIBRARIES:
        return f"lib/{rest}"
    if package == "nvidia" and "/include/" not in name:
        return name
    return None


wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        target = None if entry.is_dir() else place(entry.filename)
        if target is None:
            continue
        path = os.path.join(folder, target)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(entry) as source, open(path, "wb") as out:
            while block := source.read(1 << 22):
                out.write(block)
        os.chmod(path, 0o755 if entry.external_attr >> 16 & 0o100 else 0o644)
