#!/usr/bin/env python3
"""Takes the pictures of the terminal anew: the program runs over the samples in a terminal of tmux, and what that shows
becomes SVG.

    cargo build && docs/pictures/terminal.py

Needs tmux and Python 3, and writes docs/terminal.svg and docs/pictures/terminal-*.svg. PROGRAM names another program.
"""

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("PROGRAM", ROOT / "target/debug/headcount"))
COLORS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#76e3ea"}
CELL, LINE, TOP, SIDE = 7.83, 17, 44, 16


class Terminal:
    """A shell in a terminal of so many columns, in the folder of the samples."""

    begun = 0

    def __init__(self, folder, columns, lines):
        # A server of its own: one that ends is not one to begin with.
        Terminal.begun += 1
        self.socket = ["tmux", "-L", f"pictures-{os.getpid()}-{Terminal.begun}", "-f", "/dev/null"]
        shell = f"env PS1='$ ' PATH='{folder}/bin':\"$PATH\" bash --norc --noprofile"
        size = ["-x", str(columns), "-y", str(lines)]
        self.tmux("new-session", "-d", *size, "-c", str(folder), shell)
        self.wait(r"^\$ $")

    def tmux(self, *arguments):
        return subprocess.run([*self.socket, *arguments], check=True, capture_output=True, text=True).stdout

    def shows(self):
        return self.tmux("capture-pane", "-e", "-p").rstrip("\n")

    def types(self, text, until):
        self.tmux("send-keys", text, "Enter")
        self.wait(until)

    def wait(self, until):
        for _ in range(600):
            if re.search(until, re.sub(r"\x1b\[[0-9;]*m", "", self.shows() + " "), re.MULTILINE):
                return
            time.sleep(0.05)
        sys.exit(f"{until!r} did not show:\n{self.shows()}")

    def end(self):
        self.tmux("kill-server")


def width(text):
    wide = {"W": 2, "F": 2}
    return sum(0 if unicodedata.combining(c) else wide.get(unicodedata.east_asian_width(c), 1) for c in text)


def svg(shown, columns, label):
    """Cells with their colours as a picture; every piece of text stands at its own column."""
    lines = shown.split("\n")
    across, down = round(columns * CELL + 2 * SIDE), TOP + len(lines) * LINE + 10
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{down}" viewBox="0 0 {across} {down}" '
        f'role="img" aria-label="{html.escape(label)}">'
    )
    yield f'<rect width="{across}" height="{down}" rx="8" fill="#0d1117"/>'
    dots = zip((20, 40, 60), ("#ff5f57", "#febc2e", "#28c840"))
    yield "<g>" + "".join(f'<circle cx="{x}" cy="18" r="6" fill="{color}"/>' for x, color in dots) + "</g>"
    fonts = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK JP',monospace"
    yield f'<g font-family="{fonts}" font-size="13" fill="#e6edf3" xml:space="preserve">'
    bold, dim, color = False, False, None
    for number, line in enumerate(lines):
        column, pieces = 0, []
        for part in re.split(r"(\x1b\[[0-9;]*m)", line):
            if escape := re.fullmatch(r"\x1b\[([0-9;]*)m", part):
                for code in (int(code or 0) for code in escape[1].split(";")):
                    if code in (0, 22):
                        bold = dim = False
                    if code in (0, 39):
                        color = None
                    bold, dim, color = bold or code == 1, dim or code == 2, COLORS.get(code, color)
                continue
            for piece in re.finditer(r"\S(?:\S| (?=\S))*", part):
                fill = "#8b949e" if dim else color
                look = (' font-weight="bold"' if bold else "") + (f' fill="{fill}"' if fill else "")
                x = SIDE + (column + width(part[: piece.start()])) * CELL
                text = html.escape(piece[0], quote=False)
                pieces.append(f'<tspan x="{x:.1f}" textLength="{width(piece[0]) * CELL:.1f}"{look}>{text}</tspan>')
            column += width(part)
        if pieces:
            yield f'<text y="{TOP + number * LINE + 6}">{"".join(pieces)}</text>'
    yield "</g>\n</svg>"


def take(name, columns, lines, label, folder, *steps):
    """Types each step once what it waits for is shown, and keeps what is shown in the end."""
    terminal = Terminal(folder, columns, lines)
    try:
        terminal.types("clear", r"\A\$ $")
        for typed, until in steps:
            terminal.types(typed, until)
        shown = terminal.shows()
        if not re.search(r"\n\$ ?$", shown):
            # What is still under way is paused, so that the next picture can go on with it.
            terminal.tmux("send-keys", "C-c")
            terminal.wait(r"\n\$ $")
    finally:
        terminal.end()
    # The prompt that waits for more is not worth a line.
    shown = re.sub(r"\n\$ ?$", "", shown)
    (ROOT / "docs" / name).write_text("\n".join(svg(shown, columns, label)) + "\n")


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "bin").mkdir()
        (folder / "bin/headcount").symlink_to(PROGRAM)
        shutil.copytree(ROOT / "samples", folder / "samples")
        config = (ROOT / "config.toml").read_text()
        (folder / "config.toml").write_text(re.sub(r"(?m)^requests_per_second = 5", "requests_per_second = 20", config))

        prompt = r"\n\$ $"
        take(
            "pictures/terminal-plan.svg", 100, 62, "the end of headcount plan in a terminal", folder,
            ("headcount plan", prompt),
        )
        take(
            "pictures/terminal-narrow.svg", 40, 68, "headcount explain in a terminal of 40 columns", folder,
            ("headcount explain aiko.saito", prompt),
        )
        take(
            "terminal.svg", 84, 52, "headcount sync in a terminal: what will be done, the question, the progress",
            folder, ("headcount sync", r"\[y/N\]"), ("y", r"executing .* [3-6]\d/74"),
        )
        take(
            "pictures/terminal-result.svg", 84, 50, "the end of headcount resume in a terminal, and headcount runs",
            folder, ("headcount resume --yes", r"reports/.*\.md\n\$ $"), ("headcount runs", r"run  [^$]*\n\$ $"),
        )
        take(
            "pictures/terminal-explain.svg", 100, 60, "headcount explain in a terminal: one person, end to end",
            folder, ("headcount explain aiko.saito", prompt),
        )


if __name__ == "__main__":
    main()
