"""Docstrings, comments and help are plain technical English, by the rules that prose.py lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from prose import SOURCE, command_line, comments, docstrings, ends_in_full_stop, help_texts, pages, problems

FILES = sorted(SOURCE.rglob("*.py"))
NAMES = [str(path.relative_to(SOURCE)) for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_docstrings_and_comments_keep_the_rules(path: Path) -> None:
    """No docstring begins with What, Where, Whether, How or Why, and no text uses a phrase from the list."""
    found = [f"{place}: {problem}" for place, text in docstrings(path) for problem in problems(text)]
    found += [f"{place}: {problem}" for place, text in comments(path) for problem in problems(text, opening=False)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_docstrings_are_sentences(path: Path) -> None:
    """Each docstring says more than a word, and its summary ends with a full stop."""
    short = [f"{place}: {text!r}" for place, text in docstrings(path) if len(text.split()) < 2]
    open_ended = [f"{place}: {text!r}" for place, text in docstrings(path) if not ends_in_full_stop(text)]
    assert not short + open_ended, "\n".join(short + open_ended)


def test_help_keeps_the_rules() -> None:
    """The help of every command, option and argument keeps the rules too."""
    texts = list(help_texts(command_line()))
    assert len(texts) > 100
    assert not [f"{place}: {problem}" for place, text in texts for problem in problems(text)]


def test_pages_keep_the_rules() -> None:
    """No page of the documentation uses a phrase from the list."""
    found = [f"{page}: {problem}" for page, text in pages() for problem in problems(text, opening=False)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("What a run has finished.", 1),
        ("Whether it holds, for whoever asks.", 2),
        ("Take as many as there are.", 1),
        ("A scheduler is waited for for a minute.", 1),
        ("The stopped run goes on, and the file is written anew.", 2),
        ("A table is no picture, for those who ask.", 2),
        ("There is no picture, and it is no longer than that.", 0),
        ("Two arms came out alike and cannot be told apart.", 2),
        ("It knows nothing of a folder that is there already.", 2),
        ("Number of clips.", 0),
        ("Somewhat longer text, however plain; a dog barks as much-loved dogs do not.", 0),
    ],
)
def test_the_rules_find_what_they_are_for(text: str, count: int) -> None:
    """Known bad sentences are found, each fault once, and plain ones are left alone."""
    assert len(problems(text)) == count
