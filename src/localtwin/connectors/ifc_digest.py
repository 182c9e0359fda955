"""Digests of what IFC instances say, independent of numbering, order of lines and writer.

Two exports of one model rarely number their lines alike, so a reference counts as the digest of
what it refers to. Lengths count in steps of the file's own precision, other numbers without the
noise of arithmetic. What points at an instance from outside, such as a colour, counts with it.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice

import numpy as np

from localtwin.connectors.ifc_notes import Notes
from localtwin.connectors.ifc_schema import Schema
from localtwin.connectors.ifc_step import StepFile
from localtwin.connectors.ifc_values import decoded, tidy

DIGEST_BYTES = 16
SHORT = 60  # characters of a text that is no longer than the digests of its parts would be

# Where steps of a length begin: not at round numbers, which noise would move to either side.
_SHIFT = 0.37
_STEPS_MAX = 1e11  # beyond these a double has no digits for the precision
_RATIO_DECIMALS = 9

_REFERENCE = re.compile(r"(#\d+)")
_TOKEN = re.compile(r"'((?:[^']|'')*+)'|(#\d+)|((?<![\w.'])[-+]?\d+\.\d*+(?:[eE][-+]?\d+)?)|\s++")
_REAL = re.compile(r"\d\.")
# References and words alone, or texts that are as they are written.
_PLAIN = re.compile(r"(?:[^' .\\]++|\.[A-Z]\w*\.|'[^'#\\ ]*+'(?!'))*+")
_TOGETHER = 2_000  # instances; what they say fits into the processor's cache
# What most shapes are made of, in an order in which each needs only what is before it; settled
# class by class, since going from instance to instance takes three times as long.
_IN_ORDER = (
    "IFCCARTESIANPOINT",
    "IFCPOLYLINE",
    "IFCPOLYLOOP",
    "IFCFACEBOUND",
    "IFCFACEOUTERBOUND",
    "IFCFACE",
    "IFCCLOSEDSHELL",
    "IFCOPENSHELL",
    "IFCCONNECTEDFACESET",
    "IFCFACETEDBREP",
    "IFCSHELLBASEDSURFACEMODEL",
    "IFCFACEBASEDSURFACEMODEL",
    "IFCAXIS2PLACEMENT3D",
    "IFCLOCALPLACEMENT",
    "IFCSHAPEREPRESENTATION",
    "IFCPRODUCTDEFINITIONSHAPE",
)
_BRACKETS = str.maketrans("", "", "() \t")
_CONTEXT = "IFCREPRESENTATIONCONTEXT"


class Digests:
    """Digests of the instances of one file; remembers them, as shapes are often shared.

    `precision` is a length in the file's units, below which two positions are one.
    """

    def __init__(self, step: StepFile, schema: Schema, notes: Notes, precision: float) -> None:
        self._keywords = step.keywords
        self._arguments: Mapping[str, str] = step.arguments
        self._schema = schema
        self._notes = notes
        self._precision = precision
        self._memo: dict[str, str] = {}
        self._by_keyword: Mapping[str, Sequence[str]] = step.by_keyword
        self._is_begun = False
        self._readers: dict[str, Callable[[str], str]] = {
            "IFCCARTESIANPOINT": self._point,
            "IFCOWNERHISTORY": lambda _: "",
        }

    def of(self, number: str) -> str:
        """Return the digest of an instance, all it refers to, and what is laid on any of it.

        Instances that refer to themselves by a detour are invalid but do not hang this.
        """
        if number not in self._memo:
            if not self._is_begun:
                self._settle_classes()
            self._settle([number], set())
        return self._memo[number]

    def of_all(self, numbers: Iterable[str]) -> str:
        """Return one digest for several instances, whatever their order; "" for none."""
        return hashed(";".join(found)) if (found := sorted(map(self.of, numbers))) else ""

    def of_text(self, text: str) -> str:
        """Return the digest of arguments that are no instance of their own."""
        for number in _REFERENCE.findall(_TOKEN.sub(_without_text, text)):
            self.of(number)
        return hashed(_TOKEN.sub(self._with_ratios, text))

    def _settle_classes(self) -> None:
        """Digest all instances of the commonest classes that need no closer look.

        Goes through the file part by part: what belongs together is near, also in memory.
        """
        self._is_begun = True
        contexts = [each for each in self._by_keyword if self._schema.is_a(each, _CONTEXT)]
        self._settle([number for each in contexts for number in self._by_keyword[each]], set())
        noted = self._notes.targets
        instances = iter(self._keywords.items())
        while part := list(islice(instances, _TOGETHER)):
            found: dict[str, list[str]] = {keyword: [] for keyword in _IN_ORDER}
            for number, keyword in part:
                if keyword in found and number not in noted:
                    found[keyword].append(number)
            self._settle_points(found.pop("IFCCARTESIANPOINT"))
            for keyword, numbers in found.items():
                self._settle_lines(keyword, numbers)

    def _settle_points(self, numbers: Sequence[str]) -> None:
        texts = [self._arguments[each].translate(_BRACKETS) for each in numbers]
        try:
            values = np.array(",".join(texts).split(","), float)
        except ValueError:  # one of them is no point; each says so for itself
            return
        with np.errstate(all="ignore"):
            steps = values / self._precision + _SHIFT
            fits = (steps > -_STEPS_MAX) & (steps < _STEPS_MAX)
        lengths = [str(each) for each in np.floor(np.where(fits, steps, 0)).astype(int).tolist()]
        for place in np.flatnonzero(~fits).tolist():
            lengths[place] = self._length(float(values[place]))
        of_each = iter(lengths)
        said = [f"P{','.join(islice(of_each, text.count(',') + 1))}" for text in texts]
        self._memo.update(zip(numbers, map(_short, said), strict=True))

    def _settle_lines(self, keyword: str, numbers: Sequence[str]) -> None:
        """Digest instances of references, words and simple texts, all to what is digested."""
        lines = [self._arguments[each] for each in numbers]
        text = "\n".join(lines)
        if "'" in text or " " in text or _REAL.search(text):
            chosen = [n for n, line in enumerate(lines) if _PLAIN.fullmatch(line)]
            numbers = [numbers[n] for n in chosen]
            text = "\n".join([lines[n] for n in chosen])
        between = _REFERENCE.split(text)
        try:
            between[1::2] = map(self._memo.__getitem__, between[1::2])
        except KeyError:  # what one of them needs is not digested yet
            self._settle_lines(keyword, [each for each in numbers if self._is_ready(each)])
            return
        said = [f"{keyword}{each}" for each in "".join(between).split("\n")] if numbers else []
        self._memo.update(zip(numbers, map(_short, said), strict=True))

    def _is_ready(self, number: str) -> bool:
        return self._memo.keys() >= set(_REFERENCE.findall(self._arguments[number]))

    def _settle(self, waiting: list[str], begun: set[str]) -> None:
        """Digest all that wait; what an instance needs is put before it."""
        memo, keywords = self._memo, self._keywords
        while waiting:
            number = waiting[-1]
            if number in memo:
                waiting.pop()
                continue
            keyword = keywords.get(number)
            if keyword is None:
                memo[number] = "missing"
                continue
            reader = self._readers.get(keyword) or self._reader(keyword)
            needs = () if keyword == "IFCCARTESIANPOINT" else self._needs(number, keyword)
            missing = [each for each in needs if each not in memo and each not in begun]
            if missing:
                begun.add(number)
                waiting.extend(missing)
                continue
            text = reader(number)
            if notes := self._notes.on(number):
                text += "".join(sorted(memo.get(each, "circular") for each in notes))
            memo[number] = _short(text)

    def _needs(self, number: str, keyword: str) -> Sequence[str]:
        if self._schema.is_a(keyword, "IFCROOT", "IFCOWNERHISTORY", _CONTEXT):
            return ()
        text = self._notes.arguments(number) or self._arguments[number]
        if "'" in text:
            text = _TOKEN.sub(_without_text, text)
        return [*_REFERENCE.findall(text), *self._notes.on(number)]

    def _reader(self, keyword: str) -> Callable[[str], str]:
        """Return, and remember, how instances of a class are read."""
        found = self._schema.of(keyword)
        if self._schema.is_a(keyword, "IFCROOT"):
            reader: Callable[[str], str] = self._identity
        elif self._schema.is_a(keyword, _CONTEXT):
            reader = _context
        elif self._schema.is_a(keyword, "IFCCARTESIANPOINTLIST"):
            reader = self._point_list
        elif found is not None and found.has_only_lengths:
            reader = self._lengths
        else:
            reader = self._ratios
        self._readers[keyword] = reader
        return reader

    def _identity(self, number: str) -> str:
        return self._arguments[number].partition(",")[0].strip()

    def _point(self, number: str) -> str:
        text = self._arguments[number].translate(_BRACKETS)
        return "P" + ",".join([self._length(float(each)) for each in text.split(",")])

    def _point_list(self, number: str) -> str:
        text = self._arguments[number].partition("))")[0]
        values = [float(each) for each in text.translate(_BRACKETS).split(",") if each]
        if values and max(map(abs, values)) >= _STEPS_MAX * self._precision:
            return self._keywords[number] + ",".join(map(self._length, values))
        steps = np.floor(np.asarray(values) / self._precision + _SHIFT).astype(np.int64)
        digest = blake2b(steps.tobytes(), digest_size=DIGEST_BYTES).hexdigest()
        return f"{self._keywords[number]}{len(values)},{digest}"

    def _lengths(self, number: str) -> str:
        return self._text(number, self._with_lengths)

    def _ratios(self, number: str) -> str:
        return self._text(number, self._with_ratios)

    def _text(self, number: str, replaced: Callable[[re.Match[str]], str]) -> str:
        text = self._notes.arguments(number) or self._arguments[number]
        if "'" in text or " " in text or _REAL.search(text):
            return self._keywords[number] + _TOKEN.sub(replaced, text)
        between = _REFERENCE.split(text)
        memo = self._memo
        between[1::2] = [memo.get(each, "circular") for each in between[1::2]]
        return self._keywords[number] + "".join(between)

    def _with_lengths(self, token: re.Match[str]) -> str:
        if token.lastindex == 3:
            return self._length(float(token[3]))
        return self._with_ratios(token)

    def _with_ratios(self, token: re.Match[str]) -> str:
        match token.lastindex:
            case 1:
                return f"'{decoded(token[1])}'"
            case 2:
                return self._memo.get(token[2], "circular")
            case 3:
                return _ratio(float(token[3]))
            case _:
                return ""

    def _length(self, value: float) -> str:
        steps = value / self._precision + _SHIFT
        return str(math.floor(steps)) if -_STEPS_MAX < steps < _STEPS_MAX else f"{value:.11g}"


def _short(text: str) -> str:
    return text if len(text) <= SHORT else hashed(text)


def hashed(text: str) -> str:
    """Return the digest of a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()


def _ratio(value: float) -> str:
    near = round(value, _RATIO_DECIMALS) if -10 < value < 10 else tidy(value)
    return repr(near + 0.0)


def _context(_: str) -> str:
    """Return nothing of a context: what it says is the project's, not every shape's."""
    return "context"


def _without_text(token: re.Match[str]) -> str:
    return token[2] or " "
