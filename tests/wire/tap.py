"""Notes every exchange that a server has, bodies included."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wire.witness import Exchange


class Tap:
    """Stands around `app`; contents on their way to and from the blob endpoint are not kept."""

    def __init__(self, app: ASGIApp, seen: list[Exchange]) -> None:
        self._app = app
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and note it."""
        if scope["type"] != "http" or scope["path"].startswith("/blobs"):
            await self._app(scope, receive, send)
            return
        asked, answered, start = bytearray(), bytearray(), dict[str, object]()

        async def hear() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                start["type"] = headers.get(b"content-type", b"").decode("ascii")
                start["status"] = message["status"]
            answered.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, hear, say)
        self._seen.append(
            Exchange(
                scope["method"],
                scope["path"],
                bytes(asked),
                int(str(start["status"])),
                str(start["type"]),
                bytes(answered),
            )
        )
