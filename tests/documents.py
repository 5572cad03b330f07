#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a document tells its reader to type, as calls that tests/test-docs.sh defines.

usage: documents.py DOCUMENT      a .md, a .conf, or a man page

    document_run WHERE COMMANDS SHOWS     a block of commands, or one within a line; SHOWS: what must be in
                                          the output of the last, as extended regular expression
    document_write WHERE FILE TEXT        what the reader is told to put into FILE
    document_skip WHERE REASON COMMANDS   what cannot run here
    document_long WHERE REASON COMMANDS   what takes too long for every run

A comment marks the block or paragraph after it (`<!-- ... -->`, in a man page `.\\" ...`, in a .conf `#% ...`):

    not run: REASON     long: REASON     file: FILE     output     shows: SHOWS     do: COMMAND

"do" is what the text before it says in words, such as "put the name of your microphone in".
"""
import os
import re
import shlex
import sys

COMMAND = re.compile(
    r"(sudo |[A-Z_]+=\S+ )*(pw-[a-z]+|weir|weir-run|systemctl|journalctl|loginctl|meson|ninja|cp|mkdir|rm|"
    r"pactl|wpctl|apt|man|pipewire|ffmpeg|(\.\./)?(build/)?(examples|tests|tools|bench|scripts)/\S+|\./[a-z]+\S*)(\s|$)")
# What is only named: `weir watch`, `pw-dump -m`.
MENTION = re.compile(r"\S+( (?!status|-[oil]+$)[-a-z]+)?")
# In man pages.
ESCAPES = {r"\-": "-", r"\(aq": "'", r"\(ti": "~", r"\(ha": "^", r"\e": "\\"}
MARK = re.compile(r"(not run|long|file|shows|do): *(.*)|(output)$")


class Document:
    """Prints the calls; knows the mark that is in force."""

    def __init__(self, name):
        self.name = name
        self.mark = None

    def call(self, function, line, *arguments):
        print(" ".join(shlex.quote(a) for a in (f"document_{function}", f"{self.name}:{line}", *arguments)))

    def has_formulas(self):
        """The page of a unit has the name of its folder; benches show what they print."""
        page = os.path.basename(self.name).removesuffix(".md")
        return self.name.startswith("bench/") or os.path.isdir(f"dsp/{page}")

    def set_mark(self, line, text):
        match = MARK.match(text.strip())
        if not match:
            return
        if match[1] == "do":
            self.call("run", line, match[2], "")
        else:
            self.mark = (match[1] or match[3], match[2])

    def commands(self, line, text):
        kind, reason = self.mark or (None, "")
        if kind == "not run":
            self.call("skip", line, reason, text)
        elif kind == "long":
            self.call("long", line, reason, text)
        elif kind != "output":
            self.call("run", line, text, reason if kind == "shows" else "")

    def block(self, line, text):
        kind, reason = self.mark or (None, "")
        if kind == "file":
            self.call("write", line, reason, text)
        elif kind == "output":
            pass
        elif COMMAND.match(text):
            self.commands(line, text)
        elif self.name.endswith(".md") and not self.has_formulas():
            sys.exit(f"{self.name}:{line}: neither commands nor marked: {text.splitlines()[0]}")


def markdown(document, lines):
    """Indented blocks, and what stands between backquotes in the text, where it names no peers."""
    block, begin, inside = [], 0, False
    for number, line in enumerate([*lines, ""], 1):
        if line.startswith("    ") and (block or not inside):
            begin = begin if block else number
            block.append(line[4:])
            continue
        if block and not line:
            block.append("")
            continue
        if block:
            document.block(begin, "\n".join(block).strip())
            block, document.mark = [], None
        inside = bool(line)
        comment = re.fullmatch(r"<!-- *(.*?) *-->", line)
        if comment:
            document.set_mark(number, comment[1])
            inside = False
            continue
        for span in re.findall(r"`([^`]+)`", line):
            if COMMAND.match(span) and not MENTION.fullmatch(span) and not document.name.startswith("bench/"):
                document.commands(number, span)
        if not line and lines[number - 2:number - 1] and not re.match("<!--", lines[number - 2]):
            document.mark = None


def man_page(document, lines):
    """Between .EX and .EE."""
    block, begin = None, 0
    for number, line in enumerate(lines, 1):
        if line.startswith('.\\" '):
            document.set_mark(number, line[4:])
        elif line == ".EX":
            block, begin = [], number + 1
        elif line == ".EE":
            document.block(begin, "\n".join(block))
            block, document.mark = None, None
        elif block is not None:
            for escape, character in ESCAPES.items():
                line = line.replace(escape, character)
            block.append(line)


def first_command(text):
    """Up to two spaces, after which it is explained, or None."""
    quoted = re.match(r"((?:'[^']*'|\"[^\"]*\"|(?!  |;(?:\s|$))[^'\"])*)", text)[1].strip()
    return quoted if COMMAND.match(quoted) else None


def drop_in(document, lines):
    """The comment that a drop-in begins with: "# Label:  COMMAND    explanation"."""
    text, begin, label = "", 0, None
    for number, line in enumerate(lines, 1):
        if not line.startswith("#"):
            break
        if line.startswith("#% "):
            document.set_mark(number, line[3:])
            continue
        begin = begin if text else number
        label = text or re.match(r"# ([A-Z][a-z]+): ", line) or (label and line.startswith("#     "))
        text += re.sub(r"^# *([A-Z][a-z]+: +)?", "", line)
        if text.endswith("\\"):
            text = text[:-1]
            continue
        if label:
            for part in re.split(r"\(by hand: |, or: |, or for all: |while it plays: ", text.rstrip(")")):
                command = first_command(part)
                if command:
                    document.commands(begin, command)
        text, document.mark = "", None


def main():
    name = sys.argv[1]
    with open(name, encoding="utf-8") as file:
        lines = file.read().split("\n")
    reader = {"md": markdown, "conf": drop_in}.get(name.rsplit(".", 1)[-1], man_page)
    reader(Document(name), lines)


main()
