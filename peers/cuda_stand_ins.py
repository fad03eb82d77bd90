"""Lets the PyPI build of PyTorch load without the CUDA libraries it was linked against.

On Linux that build names a dozen CUDA libraries as needed, and the loader refuses to start without
them, although a CPU run calls none of their functions. Installing them costs gigabytes. This
script makes one small library that answers to all their names, in which every function returns
100, the number CUDA uses for "no device": PyTorch then sees a machine without a GPU.

The lists are read from the installed libraries themselves, so nothing here depends on a PyTorch
version. Where nothing is missing (macOS, or the real libraries installed) it does nothing.
Needs `cc` and `readelf`, which any machine that can link a Rust program has.
"""

import collections
import ctypes
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile

STAND_IN = "libcuda_stand_in.so"
# Functions that return a text rather than a status.
TEXT = re.compile(r"Get(Error|Result)(String|Name)$|^ncclGetLastError$")


def readelf(option, library):
    command = ["readelf", "--wide", option, str(library)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def needed(library):
    return re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("--dynamic", library))


def load(name):
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def versions_of(library, names):
    """The symbol versions that `library` expects to find in the libraries called `names`."""
    found, source = set(), None
    for line in readelf("--version-info", library).splitlines():
        if match := re.search(r"\bFile: (\S+)", line):
            source = match[1]
        elif source in names and (match := re.search(r"\bName: (\S+)", line)):
            found.add(match[1])
    return found


def symbols(library):
    """The names `library` defines, and those it leaves to others, as (name, version or '')."""
    defined, undefined = set(), set()
    for line in readelf("--dyn-syms", library).splitlines():
        fields = line.split()
        if len(fields) < 8 or not fields[0].endswith(":"):
            continue
        name, _, version = fields[7].partition("@")
        if fields[6] != "UND":
            defined.add(name)
        elif fields[4] == "GLOBAL":
            undefined.add((name, version))
    return defined, undefined


def build(path, by_version):
    lines = ["static char none[] = \"no CUDA on this machine\";"]
    for name in sorted(set().union(*by_version.values())):
        answer = "none" if TEXT.search(name) else "(void *)100"
        lines.append(f"void *{name}(void) {{ return {answer}; }}")
    # An unversioned name must stay outside every version node, so it has no line here.
    nodes = [
        f"{version} {{ global: {'; '.join(sorted(names))}; }};"
        for version, names in sorted(by_version.items())
        if version
    ]
    with tempfile.TemporaryDirectory() as folder:
        source, script = pathlib.Path(folder, "stand_in.c"), pathlib.Path(folder, "versions")
        source.write_text("\n".join(lines) + "\n")
        script.write_text("\n".join(nodes) + "\n")
        command = ["cc", "-shared", "-fPIC", "-w", "-fno-builtin", "-o", path, source]
        subprocess.run([*command, f"-Wl,--version-script={script}"], check=True)


def main():
    if not sys.platform.startswith("linux"):
        return
    torch = importlib.util.find_spec("torch")  # finds it without importing it
    lib = pathlib.Path(torch.submodule_search_locations[0], "lib")
    libraries = [path for path in sorted(lib.glob("*.so*")) if not path.is_symlink()]
    own = {path.name for path in lib.iterdir()}
    outside = {name for path in libraries for name in needed(path)} - own
    loaded = {name: load(name) for name in outside if not name.startswith("ld-")}
    missing = sorted(name for name, library in loaded.items() if library is None)
    if not missing:
        return

    defined, undefined, versions = set(), set(), set()
    for path in libraries:
        ours, others = symbols(path)
        defined |= ours
        undefined |= others
        versions |= versions_of(path, missing)
    present = [ctypes.pythonapi, *filter(None, loaded.values())]
    by_version = collections.defaultdict(set)
    for name, version in undefined:
        # A name without a version could be anyone's: it is CUDA's if nobody else has it.
        nobodys = not version and name not in defined and not any(hasattr(p, name) for p in present)
        if version in versions or nobodys:
            by_version[version].add(name)
    build(lib / STAND_IN, by_version)
    for name in missing:
        (lib / name).symlink_to(STAND_IN)
    count = sum(map(len, by_version.values()))
    print(f"torch: {count} CUDA functions stand in for {', '.join(missing)}")


if __name__ == "__main__":
    main()
