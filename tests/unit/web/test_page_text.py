import pytest

from app.infra.web.page_text import is_readable, media_type_of, page_text

PAGE = """<!DOCTYPE html><html><head><title> A  title </title><style>p{}</style></head><body>
<nav><a href="/">Home</a></nav><p>One <b>two</b>
three<br>four</p><script>alert("no")</script><table><tr><td>a</td><td>b</td></tr></table>
<ul><li>first</li><li>second</li></ul><svg><title>no</title></svg>&lt;end&gt;</body></html>"""


def test_html_becomes_what_a_person_sees_of_it() -> None:
    lines = ["A title", "Home", "One two three", "four", "a | b", "first", "second", "<end>"]
    assert page_text(PAGE.encode(), "text/html").split("\n") == lines


def test_a_page_of_very_deep_markup_is_read() -> None:
    deep = "<div>" * 50_000 + "bottom"
    assert page_text(deep.encode(), "application/xhtml+xml") == "bottom"


def test_an_empty_page_is_empty_text() -> None:
    assert page_text(b"", "text/html") == ""


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "text/csv"])
def test_what_is_not_html_stays_as_it_is(content_type: str) -> None:
    assert page_text(b"<p>  1 \n", content_type) == "<p>  1 \n"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("é€", "text/plain"),
        ("é€", "text/plain; charset=UTF-8"),
        ("é€", "text/plain; charset=no-such"),
        ("é€", "text/plain; charset=zip"),
        ("é€", "text/plain; charset=idna"),
        ("é€", "text/plain; charset=unicode_escape"),
    ],
)
def test_text_is_utf_8_where_nothing_else_is_known(body: str, content_type: str) -> None:
    assert page_text(body.encode(), content_type) == body


@pytest.mark.parametrize(
    ("encoding", "declared", "text"),
    [
        ("cp1252", "iso-8859-1", "é€"),
        ("iso8859-15", "ISO-8859-15", "é€"),
        ("koi8-r", "koi8-r", "Привет"),
        ("shift_jis", "Shift_JIS", "日本"),
        ("gb18030", "gb2312", "中国"),
        ("euc_kr", "euc-kr", "한국"),
        ("utf-16", "utf-8", "é€"),
    ],
)
def test_text_is_read_as_its_server_its_mark_or_the_page_itself_says(
    encoding: str, declared: str, text: str
) -> None:
    assert page_text(text.encode(encoding), f"text/plain; charset={declared}") == text
    page = f'<meta charset="{declared}"><p>{text}'.encode(encoding)
    assert page_text(page, "text/html") == text


@pytest.mark.parametrize(
    "media_type",
    [
        "text/html",
        "text/x-anything",
        "application/json",
        "application/ld+json",
        "application/xml",
        "application/xhtml+xml",
        "application/atom+xml",
    ],
)
def test_text_json_and_xml_are_readable(media_type: str) -> None:
    assert is_readable(media_type)


@pytest.mark.parametrize("media_type", ["", "application/pdf", "image/svg", "text/", "video/mp4"])
def test_nothing_else_is_readable(media_type: str) -> None:
    assert not is_readable(media_type)


def test_a_media_type_is_without_parameters_and_in_lower_case() -> None:
    assert media_type_of(" Text/HTML ; charset=x") == "text/html"
