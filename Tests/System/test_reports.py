"""`verify --report`: a page of one file that fetches nothing, runs nothing, and holds against hostile names."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensor, float_tensor, write_model
from program import CANNOT_CREATE, DIFFERS, USAGE, Silt

VOID = {"meta", "link", "wbr"}
HOSTILE = "layer.0.</title></svg><script>alert(1)</script>\u202egnp.\u0007\n\"'&amp;.weight"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page(HTMLParser):
    """A page's elements and texts; insists that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.source = text
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def check_is_inert(self) -> None:
        """Nothing is fetched, nothing runs, and ids are unique."""
        assert "http:" not in self.source and "https:" not in self.source and "//" not in self.source
        assert "url(" not in self.source and "@import" not in self.source
        for tag, attributes in self.elements:
            assert tag not in {"script", "iframe", "object", "embed", "img", "image", "use", "form", "base"}, tag
            assert not [name for name in attributes if name.startswith("on")], attributes
            for name in ("src", "href", "xlink:href", "srcset", "action"):
                assert attributes.get(name) in (None, "data:,"), attributes
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        for tag, attributes in self.elements:
            for reference in (attributes.get("aria-labelledby") or "").split():
                assert reference in ids, reference
            assert tag != "svg" or attributes.get("aria-hidden") or attributes.get("aria-labelledby")


def report(silt: Silt, base: Path, packed: Path, page: Path, *options: object, code: int = 0) -> Page:
    """The page that verify writes."""
    silt.exits(code, "verify", base, packed, "--report", page, *options)
    found = Page(page.read_text(encoding="utf-8"))
    found.check_is_inert()
    return found


@pytest.fixture(scope="module")
def packed(silt: Silt, real_pair: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real pair, packed with DARE."""
    path = tmp_path_factory.mktemp("reports") / "foods.silt"
    silt.ok("pack", *real_pair, "-o", path, "--method", "random", "--drop", "0.95")
    return path


def test_page_of_a_real_file(
    silt: Silt, real_pair: tuple[Path, Path], packed: Path, tmp_path: Path
) -> None:
    """Sizes of every tensor, the headline, errors as measured; the same page with any number of threads."""
    base, fine = real_pair
    page = report(silt, base, packed, tmp_path / "page.html", "--against", fine, "--threads", 1)
    inspected = silt.json("inspect", packed)
    ratio = inspected["finetuned_bytes"] / inspected["bytes"]
    assert f"{ratio:.1f} × smaller: 1.07 MB instead of 10.7 MB" in page.text
    assert f"{inspected['bytes']:,} bytes" in page.text and f"{inspected['finetuned_bytes']:,} bytes" in page.text
    for tensor in inspected["tensors"]:
        assert tensor["name"] in page.text
        assert f"{tensor['bytes']:,}" in page.text
    assert "As promised" in page.text and "✗" not in page.text
    assert "all together 4.321" in page.text
    silt.ok("verify", base, packed, "--report", tmp_path / "again.html", "--against", fine, "--threads", 5)
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "page.html").read_bytes()
    assert "Measured" not in report(silt, base, packed, tmp_path / "alone.html").text


def test_exact_file(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """No errors to draw; the delta alone."""
    silt.ok("pack", *real_pair, "-o", tmp_path / "x.silt")
    page = report(silt, real_pair[0], tmp_path / "x.silt", tmp_path / "x.html", "--against", real_pair[1])
    assert "Identical: every byte" in page.text and "relative L2 error" not in page.text
    assert "The delta is 0 in" in page.text


def test_report_says_what_differs(
    silt: Silt, real_pair: tuple[Path, Path], packed: Path, tmp_path: Path
) -> None:
    """A wrong base: the page is written all the same, and says so in words."""
    page = report(silt, real_pair[1], packed, tmp_path / "page.html", code=DIFFERS)
    assert "✗" in page.text and "Different in" in page.text and "base-content" in page.text


def test_hostile_names(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Names of tensors and files become text, and nothing else."""
    before: dict[str, Tensor] = {}
    after: dict[str, Tensor] = {}
    for name in (HOSTILE, "<img src=x onerror=alert(1)>", "\u2066layers\u2069.1.x", "z" * 3_000):
        values = rng.normal(0, 0.02, (64, 64)).astype(np.float32)
        before[name] = float_tensor(values, "F32")
        after[name] = float_tensor(values + rng.normal(0, 0.001, values.shape).astype(np.float32), "F32")
    base, fine = tmp_path / "base", tmp_path / "<b>fine&tuned"
    write_model(base, before)
    write_model(fine, after)
    packed = tmp_path / "<i>\u202e.silt"
    silt.ok("pack", base, fine, "-o", packed, "--method", "random", "--drop", "0.5", "--only", ".")
    page = report(silt, base, packed, tmp_path / "page.html", "--against", fine)
    assert not re.search("[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]", page.source)
    assert "<script" not in page.source and "<img" not in page.source
    assert "<script>alert(1)</script>\\u{202E}gnp." in page.text and "\\u{2066}layers\\u{2069}" in page.text
    assert "<i>\\u{202E}.silt" in page.text


@pytest.mark.slow
def test_thousands_of_tensors_stay_readable(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Bars are of groups; the list is folded, and dots are no elements of their own."""
    before: dict[str, Tensor] = {}
    after: dict[str, Tensor] = {}
    for index in range(1_500):
        name = f"model.layers.{index}.part{index % 40}.weight"
        values = rng.normal(0, 0.02, (8, 8)).astype(np.float32)
        before[name] = float_tensor(values, "F32")
        after[name] = float_tensor(values * np.float32(1.01), "F32")
    write_model(tmp_path / "base", before)
    write_model(tmp_path / "fine", after)
    packed = tmp_path / "x.silt"
    silt.ok("pack", tmp_path / "base", tmp_path / "fine", "-o", packed, "--method", "random", "--drop", "0.5")
    page = report(silt, tmp_path / "base", packed, tmp_path / "page.html", "--against", tmp_path / "fine")
    bars = page.source.count('<td class="bar">')
    assert bars < 25 and "24 more groups" in page.text
    assert page.source.count('class="dots') < 100
    assert "1,500 tensors in" in page.text


def test_report_takes_no_place_of_another(
    silt: Silt, real_pair: tuple[Path, Path], packed: Path, tmp_path: Path
) -> None:
    """An existing file gives way to --force only, an input never; nothing is written beside compared files."""
    base, fine = real_pair
    page = tmp_path / "page.html"
    page.write_text("mine")
    silt.exits(CANNOT_CREATE, "verify", base, packed, "--report", page)
    assert page.read_text() == "mine"
    silt.ok("verify", base, packed, "--report", page, "--force")
    assert page.read_text().startswith("<!DOCTYPE html>")
    before = packed.read_bytes()
    silt.exits(CANNOT_CREATE, "verify", base, packed, "--report", packed, "--force")
    assert packed.read_bytes() == before
    silt.exits(CANNOT_CREATE, "verify", base, packed, "--report", base / "config.json", "--force")
    inside = fine / "page.html"
    silt.exits(CANNOT_CREATE, "verify", base, packed, "--against", fine, "--report", inside)
    assert not inside.exists()
    silt.exits(USAGE, "verify", base, packed, "--force")
    assert {path.name for path in tmp_path.iterdir()} == {"page.html"}


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
@pytest.mark.parametrize("width", [500, 1_100])
def test_browser_draws_it(
    silt: Silt, real_pair: tuple[Path, Path], packed: Path, tmp_path: Path, width: int
) -> None:
    """A browser shows the page, and has nothing to complain of."""
    page, picture = tmp_path / "page.html", tmp_path / "page.png"
    silt.ok("verify", real_pair[0], packed, "--against", real_pair[1], "--report", page)
    result = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},2400",
            f"--screenshot={picture}", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert picture.stat().st_size > 20_000
    assert "CONSOLE" not in result.stderr, result.stderr
