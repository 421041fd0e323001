"""What a page may say to the socket server. Anything else ends the connection."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Sdp = Annotated[str, Field(max_length=60_000)]


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Hello(Message):
    type: Literal["hello"]
    ticket: Annotated[str, Field(max_length=600)]
    place: Literal["waiting", "room"]


class Seen(Message):
    type: Literal["seen"]


class Enter(Message):
    type: Literal["enter"]


class Moving(Message):
    """The page goes on to the next one by itself: the connection was not lost."""

    type: Literal["moving"]


class Leave(Message):
    type: Literal["leave"]


class Admit(Message):
    type: Literal["admit"]
    seat: UUID
    arrival: Annotated[str, Field(max_length=40)] = ""


class Decline(Message):
    type: Literal["decline"]
    seat: UUID


class Late(Message):
    type: Literal["late"]
    minutes: Annotated[int, Field(ge=0, le=60)]


class End(Message):
    type: Literal["end"]


class Description(Message):
    type: Literal["offer", "answer", "pranswer", "rollback"]
    sdp: Sdp = ""


class Candidate(Message):
    candidate: Annotated[str, Field(max_length=2_000)] = ""
    sdpMid: Annotated[str, Field(max_length=64)] | None = None  # noqa: N815  (the browser's own name)
    sdpMLineIndex: Annotated[int, Field(ge=0, le=255)] | None = None  # noqa: N815
    usernameFragment: Annotated[str, Field(max_length=256)] | None = None  # noqa: N815


class Media(Message):
    microphone: bool
    camera: bool
    sharing: bool


class Signal(Message):
    """From one browser to another: `session` is new with every load of the page."""

    type: Literal["signal"]
    to: UUID
    session: Annotated[str, Field(pattern=r"^[0-9a-f]{8,32}$")]
    hello: Literal["first", "answer"] | None = None
    description: Description | None = None
    candidate: Candidate | None = None
    media: Media | None = None


AnyMessage = Annotated[
    Hello | Seen | Enter | Moving | Leave | Admit | Decline | Late | End | Signal, Field(discriminator="type")
]

MESSAGES: TypeAdapter[AnyMessage] = TypeAdapter(AnyMessage)
