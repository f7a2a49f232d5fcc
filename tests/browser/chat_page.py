"""Moves through the chat page as a person does; every step waits for what a person would see."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from playwright.async_api import FilePayload, Locator, Page, expect

ARTIFACTS = Path(__file__).parents[2] / "artifacts"

# What a small machine needs to read and embed a first document.
READING_MS = 60_000


def scripted(question: str, say: str = "", **script: object) -> str:
    """Return a question that tells the scripted model how to answer it.

    script: fields of `scripts.scripted_model.script.Script`.
    """
    words = {"say": say, **script} if say else script
    directive = " ".join(f"{key}={quote(str(value), safe='')}" for key, value in words.items())
    return f"{question} [[{directive}]]"


def text_file(name: str, text: str) -> FilePayload:
    """Return a file as a person would choose it."""
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}


@dataclass(frozen=True, slots=True)
class ChatPage:
    """The page of one browser tab."""

    page: Page
    base_url: str

    @property
    def box(self) -> Locator:
        """Where questions are typed."""
        return self.page.get_by_label("Your question")

    @property
    def answer(self) -> Locator:
        """The last answer."""
        return self.page.get_by_role("article", name="Answer").last

    @property
    def text(self) -> Locator:
        """What the last answer says, without its sources."""
        return self.answer.locator(".markdown")

    @property
    def send(self) -> Locator:
        """The button that is there while nothing is answered."""
        return self.page.get_by_role("button", name="Send", exact=True)

    @property
    def stop(self) -> Locator:
        """The button that is there while something is answered."""
        return self.page.get_by_role("button", name="Stop", exact=True)

    @property
    def panel(self) -> Locator:
        """What is open at the side."""
        return self.page.get_by_role("dialog")

    async def open(self, path: str = "") -> None:
        """Go to the page and wait until questions can be asked."""
        await self.page.goto(f"{self.base_url.rstrip('/')}/{path}")
        await expect(self.box).to_be_visible()

    async def ask(self, question: str) -> None:
        """Type a question, press Enter, and wait until it stands in the conversation."""
        asked = self.page.get_by_role("article", name="You asked")
        before = await asked.count()
        await self.box.fill(question)
        await self.box.press("Enter")
        await expect(asked).to_have_count(before + 1)

    async def is_answered(self) -> None:
        """Wait until the answer is whole."""
        await expect(self.answer).to_have_attribute("aria-busy", "false")
        await expect(self.send).to_be_visible()

    async def upload(self, *files: FilePayload) -> None:
        """Choose files with the button beside the box."""
        async with self.page.expect_file_chooser() as chooser:
            await self.page.get_by_role("button", name="Add documents").click()
        await (await chooser.value).set_files(list(files))

    async def drop(self, name: str, text: str) -> None:
        """Drag a file over the page and let it fall."""
        transfer = await self.page.evaluate_handle(
            """([name, text]) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([text], name, { type: "text/plain" }));
                return transfer;
            }""",
            [name, text],
        )
        for event in ("dragenter", "dragover", "drop"):
            await self.page.dispatch_event("main", event, {"dataTransfer": transfer})

    async def is_read(self, name: str) -> None:
        """Wait until an uploaded document can be asked."""
        row = self.page.get_by_role("list", name="Uploads").get_by_role("listitem")
        ready = row.filter(has_text=name).get_by_text("Ready to be asked")
        await expect(ready).to_be_visible(timeout=READING_MS)

    async def tab_to(self, target: Locator, key: str = "Tab") -> None:
        """Press Tab, or Shift+Tab, until `target` has the focus, as one without a mouse does."""
        for _ in range(20):
            await self.page.keyboard.press(key)
            if await target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{key} never came to {target}")

    async def has_no_sideways_scroll(self) -> None:
        """Check that nothing is wider than the window."""
        widest = await self.page.evaluate(
            """() => Math.max(...[...document.querySelectorAll("body, main, dialog, .thread *")]
                .filter((element) => !element.closest(".table-scroll, pre, textarea"))
                .map((element) => element.getBoundingClientRect().right))"""
        )
        viewport = self.page.viewport_size
        assert viewport is not None
        assert widest <= viewport["width"]

    async def keep_picture(self, name: str) -> None:
        """Write what is on the screen to `artifacts/`, for people to look at."""
        ARTIFACTS.mkdir(exist_ok=True)
        await self.page.screenshot(path=ARTIFACTS / f"{name}.png")
