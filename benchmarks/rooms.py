"""How a package is built, counted from its imports: rooms, arrows between them, floors, upward arrows and circles.

    python benchmarks/rooms.py engine/sisyphus [--list]

rooms     files and folders directly in the package's folder
arrows    pairs of rooms of which one imports the other, at the top of a module or inside a function
floors    rooms in the longest chain of arrows, in which a circle counts as one
upward    arrows inside a circle that only imports inside functions make: what it takes to import in a circle
circles   groups of rooms that all lead to each other, and the number of rooms in the largest; then the same for modules
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "engine" / "tests"))
import import_arrows  # noqa: E402


def figures(package):
    """``{name: value}``, in the order in which they are printed."""
    rooms, arrows = import_arrows.rooms(package), import_arrows.arrows(package)
    modules, imports = import_arrows.module_names(package), import_arrows.imports(package)
    circles = import_arrows.circles(rooms, arrows)
    of_modules = import_arrows.circles(modules, imports)
    return {
        "rooms": len(rooms),
        "arrows": len(arrows),
        "floors": max(import_arrows.floors(rooms, arrows).values()),
        "upward": len(upward(package)),
        "circles": len(circles),
        "largest circle": max(map(len, circles), default=0),
        "modules": len(modules),
        "circles of modules": len(of_modules),
        "largest circle of modules": max(map(len, of_modules), default=0),
    }


def upward(package):
    rooms, arrows = import_arrows.rooms(package), import_arrows.arrows(package)
    late = arrows - import_arrows.arrows(package, top_only=True)
    circles = import_arrows.circles(rooms, arrows)
    return sorted((a, b) for a, b in late if any({a, b} <= circle for circle in circles))


def show_list(package):
    rooms, arrows = import_arrows.rooms(package), import_arrows.arrows(package)
    floor = import_arrows.floors(rooms, arrows)
    for number in range(max(floor.values()), 0, -1):
        print(f"\nfloor {number}")
        for room in (room for room in rooms if floor[room] == number):
            print(f"  {room:<24} -> {', '.join(sorted(b for a, b in arrows if a == room))}")
    for a, b in upward(package):
        print(f"upward: {a} -> {b}")
    for circle in import_arrows.circles(rooms, arrows):
        print("circle:", ", ".join(sorted(circle)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="folder of the package")
    parser.add_argument("--list", action="store_true", help="also every room with what it imports, floor by floor")
    arguments = parser.parse_args()
    for name, value in figures(arguments.package.resolve()).items():
        print(f"{name:<26} {value:>4}")
    if arguments.list:
        show_list(arguments.package.resolve())


if __name__ == "__main__":
    main()
