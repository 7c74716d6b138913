"""The folder channel: whole files or none, once per message id, and no way out of the folder."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.file_drop import FileDrop, file_name
from o2c.errors import Broken, Unavailable
from o2c.ports import Parcel

PARCEL = Parcel(
    message_id="inv-7@acme",
    company_id="acme",
    recipient="0192:987654321",
    subject="Invoice INV-7",
    body="Your invoice is attached.",
    file_name="INV-7.xml",
    content=b"<Invoice/>",
)


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_document_lands_whole_under_its_message_id(tmp_path: Path) -> None:
    evidence = FileDrop(tmp_path).send(PARCEL)
    assert evidence == str(tmp_path / "acme" / "0192%3A987654321" / "inv-7@acme.xml")
    assert Path(evidence).read_bytes() == b"<Invoice/>"


def test_the_same_message_twice_leaves_one_untouched_file(tmp_path: Path) -> None:
    channel = FileDrop(tmp_path)
    first = Path(channel.send(PARCEL))
    inode = first.stat().st_ino
    assert channel.send(PARCEL) == str(first)
    assert first.stat().st_ino == inode
    assert files(tmp_path) == ["acme/0192%3A987654321/inv-7@acme.xml"]


def test_other_bytes_under_a_known_message_id_are_our_fault(tmp_path: Path) -> None:
    path = Path(FileDrop(tmp_path).send(PARCEL))
    with pytest.raises(Broken) as caught:
        FileDrop(tmp_path).send(replace(PARCEL, content=b"<Invoice changed='1'/>"))
    assert caught.value.code == "message-changed"
    assert path.read_bytes() == b"<Invoice/>"


def test_a_notice_without_document_is_a_text_file(tmp_path: Path) -> None:
    path = Path(FileDrop(tmp_path).send(replace(PARCEL, content=None, file_name=None, body="Grüße")))
    assert path.name == "inv-7@acme.txt"
    assert path.read_text(encoding="utf-8") == "Invoice INV-7\n\nGrüße\n"


def test_a_crash_between_writing_and_renaming_shows_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crash)
        with pytest.raises(Unavailable) as caught:
            FileDrop(tmp_path).send(PARCEL)
    assert "inv-7@acme.xml: Input/output error" in caught.value.message
    assert files(tmp_path) == []
    assert Path(FileDrop(tmp_path).send(PARCEL)).read_bytes() == b"<Invoice/>"


def test_a_folder_that_cannot_be_written_is_tried_again_later(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file stands where the folder should be")
    with pytest.raises(Unavailable) as caught:
        FileDrop(tmp_path / "out").send(PARCEL)
    assert caught.value.code == "folder"
    assert caught.value.next_step


def test_a_reader_may_share_the_folder_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = Path(FileDrop(tmp_path).send(PARCEL))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("inv-7@acme.example", "inv-7@acme.example"),
        ("0192:987654321", "0192%3A987654321"),
        ("..", "%2E."),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
        (".hidden", "%2Ehidden"),
        ("C:\\temp", "C%3A%5Ctemp"),
        ("a%2Fb", "a%252Fb"),
        ("Grünerløkka", "Gr%C3%BCnerl%C3%B8kka"),
        ("line\nbreak\0", "line%0Abreak%00"),
        ("", "%"),
    ],
)
def test_no_name_leaves_the_folder(text: str, name: str) -> None:
    assert file_name(text) == name
