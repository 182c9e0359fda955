"""A digest of what an IFC instance says, independent of step numbers and the order of lines.

Two exports of one model rarely number their lines alike, so a reference counts as the digest of
what it refers to. The texts come from ifcopenshell; only references are replaced here.
"""

import re
from hashlib import blake2b

import ifcopenshell

MEMO_MAX = 1_000_000  # about 150 MB; forgetting costs time only, for shared shapes are read again
DIGEST_BYTES = 16

_TOKEN = re.compile(r"'(?:[^']|'')*'|#(\d+)")


class Digests:
    """Digests of the instances of one model; remembers them, as shapes are often shared."""

    def __init__(self, model: ifcopenshell.file) -> None:
        self._model = model
        self._memo: dict[int, str] = {}
        self._styles: dict[int, list[int]] = {}
        for styled in model.by_type("IfcStyledItem"):
            if styled.Item is not None:
                styles = [style.id() for style in styled.Styles or ()]
                self._styles.setdefault(styled.Item.id(), []).extend(styles)

    def of(self, instance: ifcopenshell.entity_instance) -> str:
        """Return the digest of `instance`, all it refers to, and the styles laid on any of it.

        An instance that refers to itself by a detour is invalid but does not hang this.
        """
        if not (step := instance.id()):
            return _hashed(str(instance))
        if len(self._memo) > MEMO_MAX:
            self._memo.clear()
        waiting = [step]
        texts: dict[int, str] = {}
        while waiting:
            self._settle(waiting, texts)
        return self._memo[step]

    def _settle(self, waiting: list[int], texts: dict[int, str]) -> None:
        """Digest the last of `waiting`, or put before it what it needs first."""
        step = waiting[-1]
        if step in self._memo:
            waiting.pop()
            return
        if step not in texts:
            texts[step] = self._text(step)
            needed = [int(ref) for ref in _TOKEN.findall(texts[step]) if ref]
            missing = [ref for ref in needed if ref not in self._memo and ref not in texts]
            if missing:
                waiting.extend(missing)
                return
        self._memo[step] = _hashed(_TOKEN.sub(self._replaced, texts.pop(step)))
        waiting.pop()

    def _text(self, step: int) -> str:
        try:
            text = str(self._model.by_id(step).to_string()).partition("=")[2]
        except RuntimeError:
            return "missing"
        styles = self._styles.get(step)
        return text if styles is None else text + "".join(f",#{style}" for style in styles)

    def _replaced(self, token: re.Match[str]) -> str:
        step = token[1]
        return token[0] if step is None else self._memo.get(int(step), "circular")


def _hashed(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()
