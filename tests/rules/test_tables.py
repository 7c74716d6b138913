"""A decision table goes to a spreadsheet and back; what nobody changed keeps every byte."""

from __future__ import annotations

from difflib import unified_diff
from random import Random

import pytest

from o2c.errors import NotFound, Refused
from rules.rulebook import default_content
from rules.tables import from_csv, to_csv

SHAPES = "as it is; without mark; lf only; blank lines; columns turned; all quoted".split("; ")
TABLES = [("credit", "C60"), ("stock", "S10"), ("dunning", "D60")]
FILE = """\
policy: credit
strictest_first: [hold, refer, approve]
otherwise: refer
tables:
  - id: T1   # who may buy
    hit: first
    columns: [risk_class, exposure, then, queue, say]
    rows:
      # the good ones
      - [A,      "<= 100.00",              approve, "-",         Fine]        # since March
      - ["A, B", ["> 0", "<= credit_limit"], refer, credit team, "=SUM(A1)"]
      # the bad ones
      - [C,      "> 5.00",                 hold,    "-",         "-"]
  - {id: T2, hit: first, columns: [on_hold, risk_class, then], rows: [[yes, A, hold], [no, A, approve]]}
tests: []
"""
T1 = """\
risk_class;exposure;then;queue;say
A;<= 100.00;approve;-;Fine
A, B;> 0 and <= credit_limit;refer;credit team;'=SUM(A1)
C;> 5.00;hold;-;-
"""


def diff(old: bytes, new: bytes) -> list[str]:
    """The changed lines alone."""
    lines = unified_diff(old.decode().splitlines(), new.decode().splitlines(), lineterm="", n=0)
    return [line for line in lines if line[:2] not in ("--", "++", "@@")]


def changed(*edits: tuple[str, str], file: str = FILE, table: str = "T1", csv: str = T1) -> list[str]:
    """What becomes of the file when its CSV is edited."""
    for old, new in edits:
        assert old in csv
        csv = csv.replace(old, new, 1)
    return diff(file.encode(), from_csv(file.encode(), table, csv.encode()))


def test_a_spreadsheet_gets_what_it_can_read() -> None:
    assert to_csv(FILE.encode(), "T1") == b"\xef\xbb\xbf" + T1.replace("\n", "\r\n").encode()
    assert (
        to_csv(FILE.encode(), "T2", delimiter=",")
        == b"\xef\xbb\xbfon_hold,risk_class,then\r\nyes,A,hold\r\nno,A,approve\r\n"
    )


@pytest.mark.parametrize(("policy", "table"), TABLES)
@pytest.mark.parametrize("delimiter", list(";,\t"))
@pytest.mark.parametrize(
    "shape", ["as it is", "without mark", "lf only", "blank lines", "columns turned", "all quoted"]
)
def test_an_unchanged_table_keeps_every_byte(policy: str, table: str, delimiter: str, shape: str) -> None:
    content = default_content(policy)
    csv = to_csv(content, table, delimiter=delimiter)
    match shape:
        case "without mark":
            csv = csv.removeprefix(b"\xef\xbb\xbf")
        case "lf only":
            csv = csv.replace(b"\r\n", b"\n")
        case "blank lines":
            csv = csv.replace(b"\r\n", b"\r\n\r\n") + delimiter.encode() * 4 + b"\r\n"
        case "columns turned" if delimiter == "\t":  # where nothing needs quotes
            rows = csv.decode("utf-8-sig").split("\r\n")[:-1]
            csv = "\n".join("\t".join(reversed(row.split("\t"))) for row in rows).encode()
        case "all quoted" if delimiter == "\t":
            rows = csv.decode("utf-8-sig").split("\r\n")[:-1]
            csv = "\n".join("\t".join(f'"{cell}"' for cell in row.split("\t")) for row in rows).encode()
    assert from_csv(content, table, csv) == content


def test_only_the_changed_cell_is_written() -> None:
    assert changed(("<= 100.00", "<= 80.00")) == [
        '-      - [A,      "<= 100.00",              approve, "-",         Fine]        # since March',
        '+      - [A,      "<= 80.00",               approve, "-",         Fine]        # since March',
    ]
    assert changed(("A, B", "B"), ("'=SUM(A1)", "-"), ("> 0 and", "> 10 and")) == [
        '-      - ["A, B", ["> 0", "<= credit_limit"], refer, credit team, "=SUM(A1)"]',
        '+      - [B,      ["> 10", "<= credit_limit"], refer, credit team, "-"]',
    ]


def test_rows_come_and_go_with_their_line() -> None:
    assert changed(("A;<= 100.00;approve;-;Fine\n", "")) == [
        '-      - [A,      "<= 100.00",              approve, "-",         Fine]        # since March'
    ]
    assert changed(("C;> 5", "B;> 9000.00;hold;-;-\nC;> 5")) == ['+      - [B, "> 9000.00", hold, "-", "-"]']
    assert changed(("A;<=", 'C;> 5.00 and <= 6.00;hold;-;Größe: ""S""\nA;<=')) == [
        '+      - [C, ["> 5.00", "<= 6.00"], hold, "-", "Größe: \\"\\"S\\"\\""]'
    ]


def test_rows_in_one_line_are_rewritten_there() -> None:
    one = "on_hold;risk_class;then\nyes;A;hold\nno;A;approve\n"
    line = FILE.splitlines()[13]
    for edit, rows in [
        (("yes;A;hold\n", ""), "[[no, A, approve]]"),
        (("no;A;approve\n", ""), "[[yes, A, hold], ]"),
        (("no;A;approve", "no;A;approve\n-;C;hold"), '[[yes, A, hold], [no, A, approve], ["-", C, hold]]'),
        (("yes;A;hold", "-;B;refer\nyes;A;hold"), '[["-", B, refer], [yes, A, hold], [no, A, approve]]'),
    ]:
        wanted = line.replace("[[yes, A, hold], [no, A, approve]]", rows)
        assert changed(edit, table="T2", csv=one) == [f"-{line}", f"+{wanted}"]


MORE = "C;<= 5.00;refer;-;-\n"


def test_rows_of_any_layout_and_line_end_stay_readable() -> None:
    last = '      - [C,      "> 5.00",                 hold,    "-",         "-"]\n'
    dashes = '      - - C\n        - "> 5.00"  # anything\n        - hold\n        - "-"\n        - "-"\n'
    assert last in FILE
    dashed = FILE.replace(last, dashes)
    assert changed(("C;> 5.00;hold", "B;> 9000.00;refer"), file=dashed) == [
        "-      - - C",
        '-        - "> 5.00"  # anything',
        "-        - hold",
        "+      - - B",
        '+        - "> 9000.00"  # anything',
        "+        - refer",
    ]
    added = '+      - [C, "<= 5.00", refer, "-", "-"]'
    assert changed(("5.00;hold;-;-\n", f"5.00;hold;-;-\n{MORE}"), file=dashed) == [added]
    windows = FILE.replace("\n", "\r\n").encode()
    assert from_csv(windows, "T1", to_csv(windows, "T1")) == windows
    with_more = windows.replace(b'"-",         "-"]\r\n', f'"-",         "-"]\r\n{added[1:]}\r\n'.encode())
    assert from_csv(windows, "T1", (T1 + MORE).encode()) == with_more


def test_a_file_that_ends_with_a_row_takes_another() -> None:
    file = FILE.split("  - {id: T2")[0].rstrip().encode()
    added = from_csv(file, "T1", (T1 + MORE).encode())
    assert added == file + b'\n      - [C, "<= 5.00", refer, "-", "-"]\n'
    marked = b"\xef\xbb\xbf" + file
    assert from_csv(marked, "T1", to_csv(marked, "T1")) == marked


@pytest.mark.parametrize("cell", [
    "=1+1", "+1", "-1+1", "@x", "'=1", "''", "'-", "-", "'", "'tis", "-3", "a;b", 'a "b"', "a,b", "a: b # c",
    "[x]", "{x}", "yes", "null", "0x1f", "Käse & Co", "it's", "a and b", "%", "!", "|", ">", "*x", "&x",
    "12:30",
])  # fmt: skip
def test_any_text_survives_the_journey(cell: str) -> None:
    said = FILE.replace('"=SUM(A1)"', "'" + cell.replace("'", "''") + "'").encode()
    csv = to_csv(said, "T1")
    assert from_csv(said, "T1", csv) == said
    # and from a spreadsheet into a file that had another text there
    again = from_csv(FILE.encode(), "T1", csv)
    assert to_csv(again, "T1") == csv
    line = csv.decode("utf-8-sig").split("\r\n")[2]
    last = line.removeprefix("A, B;> 0 and <= credit_limit;refer;credit team;").strip('"')
    assert last == "-" or (last[0] not in "=+@" and not last.startswith("-1+"))


@pytest.mark.parametrize("seed", range(20))
def test_shuffled_changed_and_dropped_rows_arrive_as_they_are(seed: int) -> None:
    random, content = Random(seed), default_content("dunning")
    heading, *rows = to_csv(content, "D60").decode("utf-8-sig").split("\r\n")[:-1]
    random.shuffle(rows)
    rows = [row.replace(">= 14", ">= 15") if random.random() < 0.5 else row for row in rows]
    wanted = "\r\n".join([heading, *rows[: random.randint(1, len(rows))], ""])
    sound = content.split(b"tests:")[0]  # its tests speak of rows by number
    assert to_csv(from_csv(sound, "D60", wanted.encode()), "D60").decode("utf-8-sig") == wanted


@pytest.mark.parametrize(
    ("csv", "words"),
    [
        ("", "its heading lacks risk_class, exposure, then, queue, say"),
        ("risk_class;exposure;then;queue\nA;-;hold;-\n", "its heading lacks say"),
        (T1.replace("say", "say;note", 1), "its heading has note too many"),
        ("risk_class;exposure;then;queue;say\n;;;;\n", "there is no row below the heading"),
        (T1 + "A;-;hold;-;-;more\n", "line 5 has 6 cells, the heading has 5"),
        (T1.replace("Fine", "Fi\x07ne"), "line 2: 'Fi\\x07ne' holds a control character"),
        (T1.replace("Fine", '"Fine'), "line 4: unexpected end of data"),
    ],
)
def test_a_csv_that_does_not_fit_says_why(csv: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        from_csv(FILE.encode(), "T1", csv.encode())
    assert (refused.value.code, words in refused.value.message) == ("table-csv", True), refused.value.message


def test_what_is_no_utf_8_or_no_table_is_refused() -> None:
    with pytest.raises(Refused, match="Save it as 'CSV UTF-8'"):
        from_csv(FILE.encode(), "T1", T1.replace("Fine", "Käse").encode("latin-1"))
    with pytest.raises(NotFound, match="did you mean 'T1'"):
        to_csv(FILE.encode(), "T11")


def test_rows_that_mean_nothing_never_come_into_a_file() -> None:
    with pytest.raises(Refused) as refused:
        from_csv(FILE.encode(), "T1", T1.replace("<= 100.00", "<= 100,00").encode())
    assert refused.value.code == "rulebook-invalid"
    assert "'<= 100,00'" in refused.value.message
    content = default_content("credit")
    other = to_csv(content, "C60").replace(b"110 %];approve", b"110 %];hold")
    with pytest.raises(Refused, match="test 'good customer 5 % above' expects"):  # the file's own tests
        from_csv(content, "C60", other)
