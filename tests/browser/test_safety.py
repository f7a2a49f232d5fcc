"""What a model says can do nothing but be read."""

import pytest
from playwright.async_api import expect

from tests.browser.chat_page import ChatPage, scripted

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Each is a way to make a browser ask a stranger. `open_tab` fails the test if one is taken.
TRAPS = [
    "![a](https://stranger.example/1.png)",
    "![b][pic]",
    '<img src="https://stranger.example/2.png">',
    '<iframe src="https://stranger.example/3"></iframe>',
    '<svg><image href="https://stranger.example/4.png"/></svg>',
    '<style>body{background:url("https://stranger.example/5.png")}</style>',
    '<link rel="stylesheet" href="https://stranger.example/6.css">',
    "[![c](https://stranger.example/7.png)](https://stranger.example/8)",
    "| ![d](https://stranger.example/9.png) | e |\n|---|---|\n| f | g |",
    "\n[pic]: https://stranger.example/10.png",
]


async def test_no_picture_and_no_markup_of_an_answer_is_fetched(chat: ChatPage) -> None:
    await chat.ask(scripted("Trick me.", "\n\n".join([*TRAPS, "The end."])))
    await chat.is_answered()
    await expect(chat.text).to_contain_text("The end.")
    await expect(chat.text.locator("img, iframe, svg, style, link")).to_have_count(0)


async def test_a_link_shows_where_it_leads_and_gives_nothing_away(chat: ChatPage) -> None:
    await chat.ask(scripted("Link me.", "Look [here](https://stranger.example/a?b=c)."))
    await chat.is_answered()
    link = chat.text.get_by_role("link")
    await expect(link).to_have_text("here (stranger.example)")
    await expect(link).to_have_attribute("target", "_blank")
    assert "noopener" in (await link.get_attribute("rel") or "")


async def test_a_link_that_would_run_code_is_only_its_words(chat: ChatPage) -> None:
    await chat.ask(scripted("Link me.", "Look [here](javascript:alert%281%29)."))
    await chat.is_answered()
    await expect(chat.text).to_contain_text("here")
    await expect(chat.text.get_by_role("link")).to_have_count(0)


async def test_a_mark_without_a_source_is_only_a_number(chat: ChatPage) -> None:
    await chat.ask(scripted("Cite me.", "So it is [7].\n\n[7]: https://stranger.example"))
    await chat.is_answered()
    await expect(chat.text).to_contain_text("So it is [7].")
    await expect(chat.text.get_by_role("button")).to_have_count(0)
    await expect(chat.text.get_by_role("link")).to_have_count(0)
