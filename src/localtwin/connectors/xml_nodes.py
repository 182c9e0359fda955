"""Reads XML that comes from anywhere, node by node, and what a node says.

A document type is refused as a whole: entities can name other files and grow without limit, and no
exchange format of design data needs one.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from json import dumps
from pathlib import Path
from typing import TypeAlias

from lxml import etree

from localtwin.connectors.signatures import HEAD_BYTES, misnamed, real_format
from localtwin.connectors.source import ConnectorError, Json, unreadable
from localtwin.connectors.table_columns import meaning_of_text

Node: TypeAlias = etree._Element  # lxml has no public name for it

DEPTH_MAX = 200
DECIMALS = 6  # of the file's unit: finer differences are the noise of an export, not an edit
DIGEST_BYTES = 16


def read_nodes(file: Path) -> Iterator[tuple[str, Node]]:
    """Yield ("start", node) and ("end", node) in the order of the file; raises ConnectorError."""
    with file.open("rb") as data:
        head = data.read(HEAD_BYTES)
        if not head.strip():
            raise unreadable("The file is empty.", code="FileEmpty")
        if (found := real_format(head)) not in {"", "XML"}:
            raise misnamed("XML", found)
        data.seek(0)
        events = etree.iterparse(
            data,
            ("start", "end"),
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=True,  # surfaces are long; what grows by itself needs a document type
            remove_comments=True,
            remove_pis=True,
        )
        try:
            yield from _guarded(events)
        except etree.XMLSyntaxError as exc:
            raise _broken(exc) from exc


def local_name(node: Node) -> str:
    """Return the name of a node without its namespace."""
    return str(node.tag).rpartition("}")[2]


def attributes_of(node: Node) -> dict[str, Json]:
    """Return the attributes with a value, numbers as such."""
    found = {str(name).rpartition("}")[2]: _text(value) for name, value in node.attrib.items()}
    values = {name: meaning_of_text(value) for name, value in found.items()}
    return {name: _rounded(value) for name, value in values.items() if value is not None}


def text_of(node: Node) -> str:
    """Return the text of a node before its first child."""
    return (node.text or "").strip()


def content_of(node: Node, skipped: Mapping[Node, object] | None = None) -> Json:
    """Return all that a node contains, in a form that does not depend on how it is written.

    Nodes in `skipped` are left out, with what is below them.
    """
    below = [content_of(each) for each in node if skipped is None or each not in skipped]
    words = [_rounded(meaning_of_text(word)) for word in text_of(node).split()]
    return [local_name(node), attributes_of(node), words, below]


def digest_of(content: Json) -> str:
    """Return a digest of what content_of returned, or of any JSON value."""
    text = dumps(content, sort_keys=True, default=dict)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()


def release(node: Node) -> None:
    """Free a node that was read, and those before it; its parents stay."""
    node.clear()
    parent = node.getparent()
    while parent is not None and node.getprevious() is not None:
        del parent[0]


def _guarded(events: Iterator[tuple[str, Node]]) -> Iterator[tuple[str, Node]]:
    depth = 0
    for event, node in events:
        if depth == 0 and node.getroottree().docinfo.internalDTD is not None:
            error = unreadable("The file has a document type declaration.", code="UnsafeXml")
            error.description = (
                "Entities can make a small file fill the memory or fetch other files, so such XML"
                " is not read. Save the file without <!DOCTYPE ...>."
            )
            raise error
        depth += 1 if event == "start" else -1
        if depth > DEPTH_MAX:
            raise unreadable(f"The XML is nested more than {DEPTH_MAX} levels deep.")
        yield event, node


def _broken(exc: etree.XMLSyntaxError) -> ConnectorError:
    line, _ = exc.position
    reason = str(exc.msg or exc).partition(", line")[0]
    is_cut = "Premature end" in reason or "EndTag" in reason or "not found" in reason
    code = "FileIncomplete" if is_cut else "FileUnreadable"
    return unreadable(f"Line {line:,} is not valid XML: {reason}.", code=code)


def _rounded(value: Json) -> Json:
    return meaning_of_text(f"{value:.{DECIMALS}f}") if isinstance(value, float) else value


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
