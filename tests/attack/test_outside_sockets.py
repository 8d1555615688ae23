"""What a browser may say through its socket: messages forged, stolen, broken or far too large.

One's own socket is the way in for whoever reads Streamlit's source: all it can be sent is tried.
"""

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.sockets import Watch
from tests.attack.concurrent import marks_in
from tests.attack.outside import SESSION, download_of, drawn, finished, message, opened, operation
from tests.streamlit_client import Page, connect

SIZE = 10_000_000  # bytes


def answers(page: Page, *sent: BackMsg) -> list[str | None]:
    """What comes back for these, up to the run that is asked for after them."""
    for one in sent:
        page.connection.send(one.SerializeToString())
    page.rerun("usage")
    return [frame.WhichOneof("type") for frame in page.frames]


# Messages

KINDS = [one.name for one in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields]
USUAL = ("rerun_script", "stop_script", "app_heartbeat")  # what our own pages send
OPERATIONS = [
    one.name
    for one in BackMsg.DESCRIPTOR.fields_by_name["backend_operation_request"]
    .message_type.oneofs_by_name["payload"]
    .fields
]


def test_of_all_messages_only_those_of_our_own_pages_are_heard(outside):
    """Streamlit would empty all caches, or tell the branch and the files of the server's folder."""
    watch = Watch(outside.door)
    heard = {kind for kind in KINDS if watch.hears("key", message(kind).SerializeToString())}
    assert heard == {*USUAL}


def test_no_operation_is_done_but_for_a_file_that_was_shown(outside):
    watch, shown = Watch(outside.door), "a" * 32
    frame = ForwardMsg()
    frame.delta.new_element.download_button.url = f"/media/{shown}.csv"
    watch.sees("key", frame.SerializeToString())
    for payload in OPERATIONS:
        made = message("backend_operation_request")
        getattr(made.backend_operation_request, payload).SetInParent()
        assert not watch.hears("key", made.SerializeToString()), payload
    made.backend_operation_request.deferred_file.file_id = shown
    assert watch.hears("key", made.SerializeToString())
    assert not watch.hears("another key", made.SerializeToString())


@pytest.mark.parametrize("kind", ["set_run_on_save", "backend_operation_request"])
def test_what_is_not_heard_is_not_answered(outside, kind):
    with connect(outside.base, outside.cookie("viewer")) as page:
        page.rerun("usage")
        plain = answers(page)
        assert answers(page, message(kind)) == plain


@pytest.mark.parametrize("thief", ["another customer's viewer", "viewer", "support", "frame"])
def test_a_download_of_another_session_is_written_for_nobody_else(outside, thief):
    """Streamlit asks only whether the session is one's own, and not whether the file is."""
    with (
        connect(outside.base, outside.cookie("manager")) as owner,
        connect(outside.base, outside.cookie(thief)) as page,
    ):
        owner.rerun("usage")
        opened(page, "usage")
        stolen = download_of(owner)
        page.connection.send(operation(page, "deferred_file", file_id=stolen).SerializeToString())
        assert b"/media/" not in opened(page, "usage")
        cookie = f"{SESSION}={outside.secret(thief)}"
        written = owner.download(stolen)
        assert written.startswith("/media/")
        theirs, absent = (
            outside.ask("GET", path, cookie) for path in (written, f"/media/{'0' * 32}.csv")
        )
        assert (theirs.status, theirs.without()) == (404, absent.without())


def test_a_run_of_another_session_is_not_ours_to_ask_for(outside):
    with (
        connect(outside.base, outside.cookie("another customer's viewer")) as owner,
        connect(outside.base, outside.cookie("viewer"), session_id="f" * 32) as page,
    ):
        owner.rerun("usage")
        page.rerun("usage")
        plain = drawn(page.frames)
        asked = operation(page, "dataframe_chunk")
        asked.backend_operation_request.session_id = owner.session_id
        page.connection.send(asked.SerializeToString())
        page.rerun("usage")
        assert drawn(page.frames) == plain
    with connect(outside.base, outside.cookie("viewer"), session_id=owner.session_id) as page:
        page.rerun("usage")
        assert page.session_id != owner.session_id
        assert not marks_in(b"".join(page.raw)) & outside.other.marks


@pytest.mark.parametrize("kind", ["fragment_id", "page_script_hash", "page_name", "query_string"])
def test_a_forged_run_shows_ones_own_pages_or_nothing(outside, kind):
    """Ids of fragments and pages of an administrator, of nobody, and far too long."""
    with (
        connect(outside.base, outside.cookie("administrator")) as staff,
        connect(outside.base, outside.cookie("viewer")) as page,
    ):
        staff.rerun()
        page.rerun()
        hashes = [one for path, one in staff.hashes.items() if path not in page.hashes]
        assert hashes
        for value in (*hashes, "0" * 32, "../../etc/passwd", "customers", "\x00", "x" * 100_000):
            made = message("rerun_script", **{kind: value})
            page.connection.send(made.SerializeToString())
            raw = b""
            if kind != "fragment_id":  # a fragment that is not there is not even answered
                raw = b"".join(finished(page))
            raw += opened(page, "usage")
            staffs = [outside.other.marks, {*outside.mine.costs.values()}]
            assert not marks_in(raw) & frozenset().union(*staffs)
            assert b"Customers" not in raw
            assert b"Traceback" not in raw


BROKEN: dict[str, tuple[bytes | str, set[int]]] = {
    "no protobuf": (b"\xff" * 50, {1002}),
    "half a message": (
        message("rerun_script", query_string="x" * 9).SerializeToString()[:-4],
        {1002},
    ),
    "text": ("rerun", {1000, 1003, 1006, 1011}),
    "ten megabytes": (message("rerun_script", query_string="x" * SIZE).SerializeToString(), {1009}),
}


@pytest.mark.parametrize(("data", "codes"), BROKEN.values(), ids=BROKEN)
def test_a_broken_message_ends_its_own_socket_and_no_other(outside, data, codes):
    with (
        connect(outside.base, outside.cookie("another customer's viewer")) as stays,
        connect(outside.base, outside.cookie("viewer")) as page,
    ):
        page.connection.send(data)
        assert page.closed_with() in codes
        assert not any(marks_in(raw) & outside.other.marks for raw in page.raw)
        stays.rerun("usage")
        assert marks_in(b"".join(stays.raw)) & outside.other.shown
